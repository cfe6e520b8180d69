// handfast completion bash|zsh: the script is made from the commands themselves.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"

namespace handfast::cli {
namespace {

// One line of the script's case: "keys create" -> what may follow; and the path to `known`.
void AddCases(const CLI::App& app, const std::string& path, std::string& cases,
              std::string& known) {
  known += path + "|";
  std::string words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    words += command->get_name() + " ";
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  if (!words.empty()) words.pop_back();
  cases += "    \"" + path + "\") words=\"" + words + "\" ;;\n";
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    AddCases(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), cases,
             known);
  }
}

void PrintScript(const CLI::App& root, bool for_zsh) {
  std::string cases;
  std::string known = "|";
  AddCases(root, "", cases, known);
  // zsh reads bash's completions once it is asked to.
  if (for_zsh) std::printf("#compdef handfast\nautoload -U +X bashcompinit && bashcompinit\n");
  std::printf(
      "_handfast() {\n"
      "  local word path= words= known=\"%s\" current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    word=\"${path:+$path }$word\"\n"
      "    [[ $known == *\"|$word|\"* ]] && path=$word\n"
      "  done\n"
      "  case $path in\n%s    *) ;;\n  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "}\n"
      "complete -F _handfast handfast\n",
      known.c_str(), cases.c_str());
}

}  // namespace

void DeclareCompletion(CLI::App& app, Common& /*common*/) {
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  completion->require_subcommand(1);
  CLI::App* bash = completion->add_subcommand("bash", "Use: source <(handfast completion bash)");
  bash->callback([&app] { PrintScript(app, /*for_zsh=*/false); });
  CLI::App* zsh = completion->add_subcommand("zsh", "Use: source <(handfast completion zsh)");
  zsh->callback([&app] { PrintScript(app, /*for_zsh=*/true); });
}

}  // namespace handfast::cli
