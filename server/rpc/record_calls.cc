#include "server/rpc/record_calls.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/access/error_details_interface.h"

namespace handfast::rpc {
namespace {

class RecordTask final : public Task {
 public:
  RecordTask(std::string tenant, std::function<AnswerOrStatus()> work,
             std::function<void(AnswerOrStatus)> respond)
      : tenant_(std::move(tenant)), work_(std::move(work)), respond_(std::move(respond)) {}

  const std::string& tenant() const override { return tenant_; }
  void Run() override { respond_(work_()); }
  void Refuse(absl::Status status) override { respond_(std::move(status)); }

 private:
  const std::string tenant_;
  const std::function<AnswerOrStatus()> work_;
  const std::function<void(AnswerOrStatus)> respond_;
};

void LookElsewhere(const RecordBackends& backends, const handshakes::Owner& owner,
                   const handshakes::Handle& handle,
                   const std::function<void(AnswerOrStatus)>& respond) {
  absl::Status queued =
      backends.durable_work.Submit(owner.tenant, access::Lane::kGeneral,
                                   [&whereabouts = *backends.whereabouts, owner, handle, respond] {
                                     respond(whereabouts.Find(owner, handle));
                                   });
  if (!queued.ok()) respond(std::move(queued));
}

}  // namespace

void RunRecordWork(const RecordBackends& backends, const handshakes::Owner& owner,
                   const handshakes::Handle& handle, size_t bytes,
                   std::function<AnswerOrStatus()> work,
                   std::function<void(AnswerOrStatus)> respond) {
  if (backends.whereabouts != nullptr) {
    respond = [&backends, owner, handle, respond = std::move(respond)](AnswerOrStatus answer) {
      if (!absl::IsNotFound(answer.status())) return respond(std::move(answer));
      LookElsewhere(backends, owner, handle, respond);
    };
  }
  const std::string& tenant = owner.tenant;
  auto task = std::make_shared<RecordTask>(tenant, std::move(work), std::move(respond));
  if (bytes <= kInlineRecordBytes) return backends.loop.Do(std::move(task));
  absl::Status queued =
      backends.work.Submit(tenant, access::Lane::kGeneral, [task] { task->Run(); });
  if (!queued.ok()) task->Refuse(std::move(queued));
}

absl::Status CheckCallBytes(const std::string& bytes, std::string_view field, size_t least) {
  if (bytes.size() < least) return access::InvalidField(field, "must not be empty");
  if (bytes.size() <= connections::kMaxCallBytes) return absl::OkStatus();
  return access::InvalidField(
      field, absl::StrCat("must have at most ", connections::kMaxCallBytes, " bytes"));
}

void CountSealed(const RecordBackends& backends, const connections::RecordAnswer& answer,
                 size_t plaintext) {
  if (answer.repeated || answer.reply->failure) return;
  backends.metrics.RecordsDone(observe::RecordDirection::kSealed, answer.reply->records, plaintext);
}

void CountOpened(const RecordBackends& backends, const connections::RecordAnswer& answer) {
  if (answer.repeated) return;
  backends.metrics.RecordsDone(observe::RecordDirection::kOpened, answer.reply->records,
                               answer.reply->plaintext.size());
}

}  // namespace handfast::rpc
