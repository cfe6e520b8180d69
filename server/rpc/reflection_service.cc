#include "server/rpc/reflection_service.h"

#include <set>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

namespace handfast::rpc {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

namespace {

constexpr char kMethod[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

void AddWithImports(const FileDescriptor* file, std::set<const FileDescriptor*>& seen,
                    grpc::reflection::v1alpha::FileDescriptorResponse& into) {
  if (!seen.insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  into.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) {
    AddWithImports(file->dependency(i), seen, into);
  }
}

void ShowFile(const FileDescriptor* file, ServerReflectionResponse& response) {
  if (file == nullptr) {
    response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
    response.mutable_error_response()->set_error_message("not found");
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddWithImports(file, seen, *response.mutable_file_descriptor_response());
}

}  // namespace

// One call: a question, its answer, the next question.
class ReflectionService::Stream {
 public:
  Stream(const ReflectionService& reflection,
         grpc::reflection::v1alpha::ServerReflection::AsyncService& service,
         grpc::ServerCompletionQueue& queue)
      : reflection_(reflection),
        counted_(reflection.unary_.calls),
        service_(service),
        queue_(queue) {
    service.RequestServerReflectionInfo(&context_, &rpc_, &queue, &queue, &on_accepted_);
  }

 private:
  void OnAccepted(bool ok) {
    if (!ok) {
      delete this;
      return;
    }
    new Stream(reflection_, service_, queue_);
    absl::StatusOr<std::string> name = PrincipalOf(*context_.auth_context());
    absl::Status allowed = name.status();
    if (name.ok()) allowed = reflection_.unary_.policy.Authorize(*name, kMethod).status();
    reflection_.unary_.metrics.RpcFinished(kMethod, CodeName(allowed));
    if (!allowed.ok()) return rpc_.Finish(ToGrpc(allowed), &on_finished_);
    rpc_.Read(&request_, &on_read_);
  }

  void OnRead(bool ok) {
    if (!ok) return rpc_.Finish(grpc::Status::OK, &on_finished_);
    rpc_.Write(reflection_.Answer(request_), &on_written_);
  }

  void OnWritten(bool ok) {
    if (!ok) return rpc_.Finish(grpc::Status::CANCELLED, &on_finished_);
    rpc_.Read(&request_, &on_read_);
  }

  void OnFinished(bool) { delete this; }

  const ReflectionService& reflection_;
  const Counted counted_;
  grpc::reflection::v1alpha::ServerReflection::AsyncService& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<ServerReflectionResponse, ServerReflectionRequest> rpc_{&context_};
  ServerReflectionRequest request_;
  CompletionOf<Stream, &Stream::OnAccepted> on_accepted_{this};
  CompletionOf<Stream, &Stream::OnRead> on_read_{this};
  CompletionOf<Stream, &Stream::OnWritten> on_written_{this};
  CompletionOf<Stream, &Stream::OnFinished> on_finished_{this};
};

ReflectionService::ReflectionService(const UnaryServices& unary, std::vector<std::string> services)
    : unary_(unary), services_(std::move(services)) {}

void ReflectionService::Await(grpc::ServerCompletionQueue& queue) {
  new Stream(*this, service_, queue);
}

ServerReflectionResponse ReflectionService::Answer(const ServerReflectionRequest& request) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      response.mutable_list_services_response();
      for (const std::string& service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service);
      }
      break;
    case ServerReflectionRequest::kFileByFilename:
      ShowFile(pool.FindFileByName(request.file_by_filename()), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      ShowFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), response);
      break;
    default:  // proto3 has no extensions
      response.mutable_error_response()->set_error_code(grpc::StatusCode::UNIMPLEMENTED);
      response.mutable_error_response()->set_error_message("not served");
  }
  return response;
}

}  // namespace handfast::rpc
