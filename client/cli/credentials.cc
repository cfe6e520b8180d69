// handfast credentials create|set-chain|set-ocsp|activate|list|get

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "client/cli/command.h"
#include "client/cli/files.h"
#include "client/cli/output.h"
#include "client/cli/request_id.h"
#include "client/core/service.h"
#include "handfast/v1/keys.pb.h"

namespace handfast::cli {
namespace {

struct CredentialArguments {
  std::string id;
  std::string name;
  std::string key;
  std::vector<std::string> dns_names;
  std::string chain_file;
  std::string ocsp_file;
  bool is_default = false;
  bool only_request = false;
  bool only_chain = false;
};

std::string StateName(v1::Credential::State state) {
  if (state == v1::Credential::PENDING) return "pending";
  if (state == v1::Credential::ACTIVE) return "active";
  return std::to_string(state);
}

std::string Join(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ",") + name;
  return joined.empty() ? "-" : joined;
}

void PrintCredential(const v1::Credential& credential, const CredentialArguments& arguments,
                     const Common& common) {
  if (arguments.only_request || arguments.only_chain) {
    const std::string& pem = arguments.only_request ? credential.certificate_request_pem()
                                                    : credential.certificate_chain_pem();
    std::fwrite(pem.data(), 1, pem.size(), stdout);
    return;
  }
  if (common.output == Output::kJson) return PrintJson(credential);
  std::vector<std::pair<std::string, std::string>> fields = {
      {"name", credential.name()},
      {"key", credential.key()},
      {"state", StateName(credential.state())},
      {"names", Join(credential.dns_names())},
      {"default", credential.default_credential() ? "yes" : "no"},
      {"not after", TimeText(credential.not_after())}};
  if (credential.ocsp_next_update() != 0) {
    fields.emplace_back("stapled until", TimeText(credential.ocsp_next_update()));
  }
  PrintFields(fields);
  if (credential.state() == v1::Credential::PENDING && credential.certificate_chain_pem().empty()) {
    std::printf("\n%s", credential.certificate_request_pem().c_str());
  }
}

void Finish(const client::Called<v1::Credential>& called, const CredentialArguments& arguments,
            Common& common) {
  if (!called.status.ok()) return Report(called.status, common);
  PrintCredential(called.reply, arguments, common);
}

void Create(const CredentialArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  v1::CreateCredentialRequest request;
  request.set_parent(common.parent());
  request.set_credential_id(arguments.id);
  request.set_key(common.Name("keys", arguments.key));
  for (const std::string& name : arguments.dns_names) request.add_dns_names(name);
  request.set_default_credential(arguments.is_default);
  request.set_request_id(MakeRequestId());
  Finish(client::Service(common.endpoint).CreateCredential(request), arguments, common);
}

void SetChain(const CredentialArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  FileText chain = ReadPublic(arguments.chain_file);
  if (chain.error) return ReportUsage(*chain.error, common);
  v1::SetCertificateChainRequest request;
  request.set_name(common.Name("credentials", arguments.name));
  request.set_certificate_chain_pem(std::move(chain.text));
  Finish(client::Service(common.endpoint).SetCertificateChain(request), arguments, common);
}

void SetOcsp(const CredentialArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  FileText response = ReadPublic(arguments.ocsp_file);
  if (response.error) return ReportUsage(*response.error, common);
  // To the service that would mean to staple nothing, and comes from a download that failed.
  if (response.text.empty()) return ReportUsage(arguments.ocsp_file + ": is empty", common);
  v1::SetOcspResponseRequest request;
  request.set_name(common.Name("credentials", arguments.name));
  request.set_ocsp_response(std::move(response.text));
  Finish(client::Service(common.endpoint).SetOcspResponse(request), arguments, common);
}

void Activate(const CredentialArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  v1::ActivateCredentialRequest request;
  request.set_name(common.Name("credentials", arguments.name));
  Finish(client::Service(common.endpoint).ActivateCredential(request), arguments, common);
}

void Get(const CredentialArguments& arguments, Common& common) {
  if (!PrepareEndpoint(common)) return;
  v1::GetCredentialRequest request;
  request.set_name(common.Name("credentials", arguments.name));
  Finish(client::Service(common.endpoint).GetCredential(request), arguments, common);
}

void List(Common& common) {
  if (!PrepareEndpoint(common)) return;
  client::Service service(common.endpoint);
  v1::ListCredentialsRequest request;
  v1::ListCredentialsResponse all;
  request.set_parent(common.parent());
  do {
    auto called = service.ListCredentials(request);
    if (!called.status.ok()) return Report(called.status, common);
    for (auto& credential : *called.reply.mutable_credentials()) {
      all.add_credentials()->Swap(&credential);
    }
    request.set_page_token(called.reply.next_page_token());
  } while (!request.page_token().empty());
  if (common.output == Output::kJson) return PrintJson(all);
  std::vector<std::vector<std::string>> rows;
  for (const v1::Credential& credential : all.credentials()) {
    rows.push_back({credential.name(), StateName(credential.state()), Join(credential.dns_names()),
                    TimeText(credential.not_after()),
                    credential.default_credential() ? "yes" : "no"});
  }
  PrintTable({"NAME", "STATE", "NAMES", "NOT AFTER", "DEFAULT"}, rows);
}

}  // namespace

void DeclareCredentials(CLI::App& app, Common& common) {
  CLI::App* credentials =
      app.add_subcommand("credentials", "Keys with a certificate chain, ready to be presented");
  credentials->require_subcommand(1);
  auto arguments = std::make_shared<CredentialArguments>();
  const auto add_name = [&](CLI::App* command) {
    command->add_option("NAME", arguments->name, "Its id, or tenants/T/credentials/C")->required();
  };

  CLI::App* create = credentials->add_subcommand(
      "create", "Open a credential; prints a certificate request for your authority");
  create->add_option("--id", arguments->id, "1 to 63 of a-z, 0-9 and -; default: chosen");
  create->add_option("--key", arguments->key, "The key's id or name")->required();
  create->add_option("--dns", arguments->dns_names, "Names for the certificate request")
      ->delimiter(',');
  create->add_flag("--default", arguments->is_default, "Serve it where no name matches");
  create->add_flag("--csr-only", arguments->only_request, "Print the request's PEM alone");
  create->callback([arguments, &common] { Create(*arguments, common); });

  CLI::App* set_chain =
      credentials->add_subcommand("set-chain", "Give a pending credential its certificate chain");
  add_name(set_chain);
  set_chain
      ->add_option("--chain-file", arguments->chain_file, "PEM, leaf first; - is standard input")
      ->required();
  set_chain->callback([arguments, &common] { SetChain(*arguments, common); });

  CLI::App* set_ocsp = credentials->add_subcommand(
      "set-ocsp", "Staple an OCSP response for the peers that ask for one");
  add_name(set_ocsp);
  set_ocsp->add_option("--ocsp-file", arguments->ocsp_file, "DER; - is standard input")->required();
  set_ocsp->callback([arguments, &common] { SetOcsp(*arguments, common); });

  CLI::App* activate = credentials->add_subcommand("activate", "Put a credential to use");
  add_name(activate);
  activate->callback([arguments, &common] { Activate(*arguments, common); });

  CLI::App* list = credentials->add_subcommand("list", "All credentials of the tenant");
  list->callback([&common] { List(common); });

  CLI::App* get = credentials->add_subcommand("get", "One credential");
  add_name(get);
  get->add_flag("--csr-only", arguments->only_request, "Print the request's PEM alone");
  get->add_flag("--chain-only", arguments->only_chain, "Print the chain's PEM alone")
      ->excludes("--csr-only");
  get->callback([arguments, &common] { Get(*arguments, common); });
}

}  // namespace handfast::cli
