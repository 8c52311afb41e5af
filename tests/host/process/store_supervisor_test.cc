// A store in a process of its own, and the connections that it gets.
#include "host/process/store_supervisor.h"

#include <csignal>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include "base/log.h"
#include "host/kv/kv_client.h"
#include "host/process/shared_state.h"

namespace nur {
namespace {

struct NoOwner final : WorkerOwner {
  void deploy_to(WorkerProcess&) override {}
  void on_message(WorkerProcess&, const Message&) override {}
  void restart(WorkerProcess&) override {}
};

class StoreSupervisorTest : public ::testing::Test {
 protected:
  StoreSupervisorTest() { std::filesystem::create_directory(data_); }

  void begin() {
    supervisor_ = std::make_unique<StoreSupervisor>(
        *loop_,
        StoreSupervisor::Options{
            .folder = data_, .limits = limits_, .account = account_, .fault = state_.store_fault()},
        [this] { ++calls_to_connect_; });
    const Result<void> begun = supervisor_->begin();
    ASSERT_TRUE(begun) << begun.error().message;
  }
  // As the loop's SIGCHLD would.
  void turn_until(const std::function<bool()>& done) {
    for (int turn = 0; turn < 2000 && !done(); ++turn) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
      supervisor_->bury();
    }
    ASSERT_TRUE(done());
  }
  // A worker, and its end of the channel.
  struct Worker {
    Worker(EventLoop& loop, WorkerOwner& owner, WorkerPage& page) : process(loop, owner, page) {
      auto [ours, theirs] = *Channel::make_pair();
      EXPECT_TRUE(process.began(::getpid(), std::move(ours)));
      channel = std::move(theirs);
    }
    WorkerProcess process;
    Channel channel;
  };
  // What a store answers on the worker's newest connection.
  std::int64_t code_of_a_set(Worker& worker) {
    Result<Channel::Received> received = worker.channel.receive_waiting();
    EXPECT_TRUE(received);
    KvClient client(*loop_);
    EXPECT_TRUE(client.connect(std::move(received->descriptors.front())));
    const auto call =
        client.start({.kind = KvRequest::Kind::set, .space = "f", .key = "k", .value = "v"}, [] {});
    turn_until([&] { return call->reply() != nullptr; });
    return call->reply()->code;
  }

  ScratchDir folder_ = *ScratchDir::create("supervisor");
  Path data_ = folder_.path() / "data";
  SystemClock clock_;
  SharedState state_ = *SharedState::map(1);
  std::optional<Account> account_;
  KvLimits limits_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  NoOwner owner_;
  int calls_to_connect_ = 0;
  std::unique_ptr<StoreSupervisor> supervisor_;
};

TEST_F(StoreSupervisorTest, ConnectsAWorkerOnce) {
  begin();
  Worker worker(*loop_, owner_, state_.page(0));
  EXPECT_TRUE(supervisor_->connect(worker.process));
  EXPECT_TRUE(worker.process.knows_store);
  EXPECT_TRUE(supervisor_->connect(worker.process));
  EXPECT_EQ(code_of_a_set(worker), 0);
  const Result<std::optional<Channel::Received>> more = worker.channel.receive();
  EXPECT_TRUE(more && !*more);
}

TEST_F(StoreSupervisorTest, ConnectsLaterWhenTheStoreTakesNothing) {
  begin();
  ::kill(supervisor_->pid(), SIGSTOP);
  Worker worker(*loop_, owner_, state_.page(0));
  // Until its channel is full.
  std::size_t connections = 0;
  while (true) {
    worker.process.knows_store = false;
    ASSERT_TRUE(supervisor_->connect(worker.process));
    if (!worker.process.knows_store) break;
    ASSERT_LT(++connections, 100'000U);
    ASSERT_TRUE(worker.channel.receive_waiting());
  }
  EXPECT_GT(connections, 0U);
  EXPECT_EQ(calls_to_connect_, 0);
  ::kill(supervisor_->pid(), SIGCONT);
  turn_until([&] { return calls_to_connect_ > 0; });
  EXPECT_TRUE(supervisor_->connect(worker.process));
  EXPECT_TRUE(worker.process.knows_store);
  EXPECT_EQ(code_of_a_set(worker), 0);
}

TEST_F(StoreSupervisorTest, AWorkerWithoutRoomIsConnectedLater) {
  begin();
  Worker worker(*loop_, owner_, state_.page(0));
  while (worker.process.send(DrainMessage{})) {
  }
  EXPECT_FALSE(supervisor_->connect(worker.process));
  EXPECT_FALSE(worker.process.knows_store);
  while (*worker.channel.receive()) {
  }
  EXPECT_TRUE(supervisor_->connect(worker.process));
  EXPECT_TRUE(worker.process.knows_store);
  EXPECT_EQ(code_of_a_set(worker), 0);
}

TEST_F(StoreSupervisorTest, StartsAgainOneThatWasKilled) {
  begin();
  Worker worker(*loop_, owner_, state_.page(0));
  const pid_t first = supervisor_->pid();
  ::kill(first, SIGKILL);
  turn_until([&] { return calls_to_connect_ > 0; });
  EXPECT_NE(supervisor_->pid(), first);
  EXPECT_TRUE(supervisor_->connect(worker.process));
  EXPECT_EQ(code_of_a_set(worker), 0);
}

TEST_F(StoreSupervisorTest, OneThatIsGoneLeavesItsWorkersUnconnected) {
  begin();
  Worker worker(*loop_, owner_, state_.page(0));
  ::kill(supervisor_->pid(), SIGKILL);
  // Until the kernel has closed its end.
  turn_until([&] { return supervisor_->pid() == 0 || calls_to_connect_ > 0; });
  if (supervisor_->pid() != 0) return;  // it is back already
  EXPECT_TRUE(supervisor_->connect(worker.process));
  EXPECT_FALSE(worker.process.knows_store);
}

TEST_F(StoreSupervisorTest, TellsWhyOneThatIsStartedAgainDoesNotServe) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log, true)));
  begin();
  ::kill(supervisor_->pid(), SIGSTOP);
  for (const auto& entry : std::filesystem::directory_iterator(data_)) {
    std::filesystem::remove(entry.path());
  }
  ASSERT_TRUE(write_file(data_ / "kv.sqlite", std::string(5000, 'x')));
  ::kill(supervisor_->pid(), SIGKILL);
  turn_until([&] { return log.str().find("is not a database") != std::string::npos; });
  // And it is tried again, later each time.
  turn_until([&] { return calls_to_connect_ >= 2; });
  spdlog::set_default_logger(before);
}

}  // namespace
}  // namespace nur
