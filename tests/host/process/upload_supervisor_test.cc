// Uploads in a process of their own: how it starts, ends and comes back.
#include "host/process/upload_supervisor.h"

#include <csignal>
#include <functional>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "host/net/listener.h"
#include "host/process/shared_state.h"

namespace nur {
namespace {

class UploadSupervisorTest : public ::testing::Test {
 protected:
  UploadSupervisorTest() {
    // Where it is root's, whoever takes uploads is not: there may be no Landlock here.
    std::filesystem::create_directory(functions_);
    if (::geteuid() == 0) {
      EXPECT_EQ(::chown(functions_.c_str(), 1, 1), 0);
    }
    EXPECT_TRUE(write_file(options_.token_file, "0123456789abcdef"));
    supervisor_ = std::make_unique<UploadSupervisor>(
        *loop_, options_, *listen_on(*parse_address("127.0.0.1:0")), state_.upload_fault());
  }
  // As the loop's SIGCHLD would.
  void turn_until(const std::function<bool()>& done) {
    for (int turn = 0; turn < 2000 && !done(); ++turn) {
      ASSERT_TRUE(loop_->run_once(Milliseconds(10)));
      supervisor_->bury();
    }
    ASSERT_TRUE(done());
  }

  ScratchDir folder_ = *ScratchDir::create("uploads");
  Path functions_ = folder_.path() / "functions";
  UploadOptions options_{
      .address = {}, .token_file = folder_.path() / "token", .folder = functions_};
  SystemClock clock_;
  SharedState state_ = *SharedState::map(1);
  std::unique_ptr<EventLoop> loop_ = *EventLoop::open(clock_);
  std::unique_ptr<UploadSupervisor> supervisor_;
};

TEST_F(UploadSupervisorTest, RemovesWhatWasLeftAndListens) {
  ASSERT_TRUE(write_file(functions_ / ".nur-upload-00.tmp", "half"));
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((functions_ / ".nur-upload-00.tmp").c_str(), 1, 1), 0);
  }
  const Result<void> begun = supervisor_->begin();
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(functions_));
  EXPECT_NE(supervisor_->address().port(), 0);
}

TEST_F(UploadSupervisorTest, StartsAgainOneThatWasKilled) {
  ASSERT_TRUE(supervisor_->begin());
  const pid_t first = supervisor_->pid();
  ::kill(first, SIGKILL);
  turn_until([&] { return supervisor_->pid() != 0 && supervisor_->pid() != first; });
}

TEST_F(UploadSupervisorTest, EndsWhenItIsDrainedAndStaysSo) {
  ASSERT_TRUE(supervisor_->begin());
  supervisor_->drain();
  turn_until([&] { return supervisor_->pid() == 0; });
  ASSERT_TRUE(loop_->run_once(Milliseconds(200)));
  EXPECT_EQ(supervisor_->pid(), 0);
}

TEST_F(UploadSupervisorTest, SaysWhyItDoesNotStart) {
  ASSERT_EQ(::chmod(options_.token_file.c_str(), 0644), 0);
  const Result<void> open = supervisor_->begin();
  ASSERT_FALSE(open);
  EXPECT_TRUE(open.error().message.starts_with("--upload-token-file: ")) << open.error().message;
}

TEST_F(UploadSupervisorTest, RefusesAFolderThatItCannotWriteTo) {
  if (::geteuid() != 0) {
    ASSERT_EQ(::chmod(functions_.c_str(), 0500), 0);
  } else {
    // Its owner is left no right by its mode.
    ASSERT_EQ(::chmod(functions_.c_str(), 0077), 0);
  }
  const Result<void> begun = supervisor_->begin();
  ASSERT_FALSE(begun);
  EXPECT_TRUE(begun.error().message.starts_with("--upload-dir: writing to "))
      << begun.error().message;
}

TEST_F(UploadSupervisorTest, ChoosesAFolderThatIsServed) {
  const Path other = folder_.path() / "other";
  std::filesystem::create_directory(other);
  const Path file = options_.token_file;
  EXPECT_EQ(*upload_folder_of(std::nullopt, {file, functions_}), functions_);
  EXPECT_EQ(*upload_folder_of(other, {functions_, other}), other);
  EXPECT_EQ(*upload_folder_of(other / "." / "..", {folder_.path()}), folder_.path());
  for (const auto& [asked, paths] : std::vector<std::pair<std::optional<Path>, std::vector<Path>>>{
           {std::nullopt, {}},
           {std::nullopt, {file}},
           {std::nullopt, {functions_, other}},
           {other, {functions_}},
           {file, {file}},
           {folder_.path() / "nowhere", {functions_}}}) {
    const Result<Path> chosen = upload_folder_of(asked, paths);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().kind, ErrorKind::invalid_input);
    EXPECT_NE(chosen.error().message.find("--upload"), std::string::npos);
  }
}

}  // namespace
}  // namespace nur
