// handfast keys create|import|list|get

#include <map>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/request_id.h"
#include "client/core/service.h"
#include "handfast/v1/keys.pb.h"

namespace handfast::cli {
namespace {

const std::map<std::string, v1::KeyType>& Types() {
  static const std::map<std::string, v1::KeyType> kTypes = {
      {"rsa-2048", v1::KEY_TYPE_RSA_2048},     {"rsa-3072", v1::KEY_TYPE_RSA_3072},
      {"rsa-4096", v1::KEY_TYPE_RSA_4096},     {"ecdsa-p256", v1::KEY_TYPE_ECDSA_P256},
      {"ecdsa-p384", v1::KEY_TYPE_ECDSA_P384}, {"ecdsa-p521", v1::KEY_TYPE_ECDSA_P521},
      {"ed25519", v1::KEY_TYPE_ED25519}};
  return kTypes;
}

std::string TypeName(v1::KeyType type) {
  for (const auto& [name, value] : Types()) {
    if (value == type) return name;
  }
  return std::to_string(type);
}

struct KeyArguments {
  std::string id;
  std::string name;
  v1::KeyType type = v1::KEY_TYPE_ECDSA_P256;
  std::string key_file;
  std::string chain_file;
  bool is_default = false;
};

void PrintKey(const v1::Key& key, const Common& common) {
  if (common.output == Output::kJson) return PrintJson(key);
  PrintFields({{"name", key.name()},
               {"type", TypeName(key.type())},
               {"created", TimeText(key.create_time())},
               {"imported", key.imported() ? "yes: copies may exist elsewhere" : "no"}});
}

void Create(const KeyArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  v1::CreateKeyRequest request;
  request.set_parent(common.parent());
  request.set_key_id(arguments.id);
  request.set_type(arguments.type);
  request.set_request_id(MakeRequestId());
  const auto called = client::Service(common.endpoint).CreateKey(request);
  if (!called.status.ok()) return Report(called.status, common);
  PrintKey(called.reply, common);
}

void Import(const KeyArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  v1::ImportKeyRequest request;
  if (!arguments.chain_file.empty()) {
    FileText chain = ReadPublic(arguments.chain_file);
    if (chain.error) return ReportUsage(*chain.error, common);
    request.set_certificate_chain_pem(std::move(chain.text));
  }
  // Last, so that no mistake in the rest leaves it behind.
  FileText key = ReadSecret(arguments.key_file);
  if (key.error) return ReportUsage(*key.error, common);
  request.set_parent(common.parent());
  request.set_key_id(arguments.id);
  request.set_default_credential(arguments.is_default);
  request.set_request_id(MakeRequestId());
  request.set_private_key_pem(std::move(key.text));
  const auto called = client::Service(common.endpoint).ImportKey(std::move(request));
  if (!called.status.ok()) return Report(called.status, common);
  if (common.output == Output::kJson) return PrintJson(called.reply);
  PrintKey(called.reply.key(), common);
  if (called.reply.has_credential()) {
    PrintFields({{"credential", called.reply.credential().name() + " (active)"}});
  }
}

void Get(const KeyArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  v1::GetKeyRequest request;
  request.set_name(common.Name("keys", arguments.name));
  const auto called = client::Service(common.endpoint).GetKey(request);
  if (!called.status.ok()) return Report(called.status, common);
  PrintKey(called.reply, common);
}

void List(Common& common) {
  if (!PrepareEndpoint(common)) return;
  client::Service service(common.endpoint);
  v1::ListKeysRequest request;
  v1::ListKeysResponse all;
  request.set_parent(common.parent());
  do {
    auto called = service.ListKeys(request);
    if (!called.status.ok()) return Report(called.status, common);
    for (v1::Key& key : *called.reply.mutable_keys()) all.add_keys()->Swap(&key);
    request.set_page_token(called.reply.next_page_token());
  } while (!request.page_token().empty());
  if (common.output == Output::kJson) return PrintJson(all);
  std::vector<std::vector<std::string>> rows;
  for (const v1::Key& key : all.keys()) {
    rows.push_back({key.name(), TypeName(key.type()), TimeText(key.create_time()),
                    key.imported() ? "yes" : "no"});
  }
  PrintTable({"NAME", "TYPE", "CREATED", "IMPORTED"}, rows);
}

}  // namespace

void DeclareKeys(CLI::App& app, Common& common) {
  CLI::App* keys = app.add_subcommand("keys", "Private keys in custody; none ever comes out");
  keys->require_subcommand(1);
  auto arguments = std::make_shared<KeyArguments>();

  CLI::App* create = keys->add_subcommand("create", "Make a key inside the service");
  create->add_option("--id", arguments->id, "1 to 63 of a-z, 0-9 and -; default: chosen");
  create->add_option("--type", arguments->type, "The key's type; default: ecdsa-p256")
      ->transform(CLI::CheckedTransformer(Types(), CLI::ignore_case));
  create->callback([arguments, &common] { Create(*arguments, common); });

  CLI::App* take_in = keys->add_subcommand("import", "Take in a key that was made elsewhere");
  take_in->add_option("--id", arguments->id, "1 to 63 of a-z, 0-9 and -; default: chosen");
  take_in->add_option("--key-file", arguments->key_file, "Unencrypted PEM; - is standard input")
      ->required();
  take_in->add_option("--chain-file", arguments->chain_file,
                      "PEM, leaf first: a credential is made and activated too");
  take_in->add_flag("--default", arguments->is_default, "Serve it where no name matches");
  take_in->callback([arguments, &common] { Import(*arguments, common); });

  CLI::App* list = keys->add_subcommand("list", "All keys of the tenant");
  list->callback([&common] { List(common); });

  CLI::App* get = keys->add_subcommand("get", "One key");
  get->add_option("NAME", arguments->name, "Its id, or tenants/T/keys/K")->required();
  get->callback([arguments, &common] { Get(*arguments, common); });
}

}  // namespace handfast::cli
