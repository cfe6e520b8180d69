// The channel's patience with a service that is slow to begin.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>

#include <gtest/gtest.h>

#include "client/core/service.h"
#include "tests/support/files.h"

namespace handfast::client {
namespace {

// Several times as long as a connection takes on a machine that is busy with other things.
constexpr int kSlowServiceMs = 500;

TEST(ChannelTest, WaitsForAServiceThatIsSlowToSpeak) {
  const test::TempFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder.File("slow.sock");
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 1), 0);

  Endpoint endpoint;
  endpoint.address = "unix:" + path;
  auto call = std::async(std::launch::async, [&] { return Service(endpoint).Serving(""); });
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(fd, 0);
  // It speaks first; what is waited for is that it hangs up.
  pollfd hung_up{.fd = fd, .events = POLLRDHUP, .revents = 0};
  EXPECT_EQ(poll(&hung_up, 1, kSlowServiceMs), 0) << "the client gave up";
  close(fd);
  close(listener);
  EXPECT_EQ(call.get().status.code, RpcCode::kUnavailable);
}

}  // namespace
}  // namespace handfast::client
