// Guests that pass whatever numbers they like: no crash, no write outside memory, no hang.
#include <array>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/abi/wasi/functions.h"
#include "tests/host/abi/fake_guest.h"

namespace nur {
namespace {

using wasi::Errno;

constexpr std::uint32_t kEnd = FakeGuest::kMemoryBytes;

// Parameters that are pointers, by position, for every function that has any.
struct Pointers {
  std::string_view name;
  std::vector<std::uint64_t> good;    // parameters with which the call succeeds or gets far
  std::vector<std::size_t> pointers;  // positions
};

class WasiHostileTest : public WithFolders {
 protected:
  WasiHostileTest() : guest_(options()) {
    write_text(inside("file"), "0123456789");
    std::filesystem::create_symlink("file", inside("link"));
    file_ = guest_.open(kInside, "file").fd;
  }

  WasiOptions options() {
    WasiOptions options = with_directories();
    options.arguments = {"program", "argument"};
    options.environment = {"NAME=value"};
    options.standard_input = &input_;
    options.standard_output = &output_;
    return options;
  }

  std::vector<Pointers> calls_with_pointers() {
    const std::uint64_t room = guest_.room(4096);
    const std::uint64_t file = guest_.put("file");
    const std::uint64_t link = guest_.put("link");
    const std::uint64_t fresh = guest_.put("fresh");
    const std::uint64_t vector = guest_.put_vector(static_cast<std::uint32_t>(room), 8);
    const std::uint64_t timer = guest_.put_value(wasi::Subscription{});
    const std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
    return {
        {"args_get", {room, room + 64}, {0, 1}},
        {"args_sizes_get", {room, room + 4}, {0, 1}},
        {"environ_get", {room, room + 64}, {0, 1}},
        {"environ_sizes_get", {room, room + 4}, {0, 1}},
        {"clock_res_get", {0, room}, {1}},
        {"clock_time_get", {0, 0, room}, {2}},
        {"fd_fdstat_get", {file_, room}, {1}},
        {"fd_filestat_get", {file_, room}, {1}},
        {"fd_pread", {file_, vector, 1, 0, room + 64}, {1, 4}},
        {"fd_prestat_get", {kInside, room}, {1}},
        {"fd_prestat_dir_name", {kInside, room, 64}, {1}},
        {"fd_pwrite", {file_, vector, 1, 0, room + 64}, {1, 4}},
        {"fd_read", {file_, vector, 1, room + 64}, {1, 3}},
        {"fd_readdir", {kInside, room, 512, 0, room + 1024}, {1, 4}},
        {"fd_seek", {file_, 0, 0, room}, {3}},
        {"fd_tell", {file_, room}, {1}},
        {"fd_write", {file_, vector, 1, room + 64}, {1, 3}},
        {"path_create_directory", {kInside, fresh, 5}, {1}},
        {"path_filestat_get", {kInside, 0, file, 4, room}, {2, 4}},
        {"path_filestat_set_times", {kInside, 0, file, 4, 0, 0, 1}, {2}},
        {"path_link", {kInside, 0, file, 4, kInside, fresh, 5}, {2, 5}},
        {"path_open", {kInside, 0, file, 4, 0, all, all, 0, room}, {2, 8}},
        {"path_readlink", {kInside, link, 4, room, 64, room + 64}, {1, 3, 5}},
        {"path_remove_directory", {kInside, fresh, 5}, {1}},
        {"path_rename", {kInside, file, 4, kInside, fresh, 5}, {1, 4}},
        {"path_symlink", {file, 4, kInside, fresh, 5}, {0, 3}},
        {"path_unlink_file", {kInside, fresh, 5}, {1}},
        {"poll_oneoff", {timer, room, 1, room + 64}, {0, 1, 3}},
        {"random_get", {room, 64}, {0}},
    };
  }

  InputView input_{"some input"};
  CappedOutput output_{1 << 20};
  FakeGuest guest_;
  std::uint32_t file_ = 0;
};

TEST_F(WasiHostileTest, EveryPointerOutsideMemoryIsAFault) {
  const auto entries = [&] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(inside()))
      ++count;
    return count;
  };
  const std::size_t before = entries();
  for (const Pointers& call : calls_with_pointers()) {
    for (const std::size_t position : call.pointers) {
      for (const std::uint64_t bad :
           {kEnd - 1u, kEnd, kEnd + 1u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, 0xffffffffu}) {
        std::vector<std::uint64_t> parameters = call.good;
        parameters[position] = bad;
        EXPECT_EQ(guest_.call(call.name, parameters), Errno::fault)
            << call.name << " parameter " << position << " = " << bad;
      }
    }
  }
  // A fault means that nothing has happened.
  EXPECT_EQ(entries(), before);
  EXPECT_EQ(read_text(inside("file")), "0123456789");
  EXPECT_EQ(guest_.open(kInside, "file").fd, file_ + 1);
}

TEST_F(WasiHostileTest, EveryLengthBeyondMemoryIsAFault) {
  const std::uint64_t room = guest_.room(64);
  const std::uint64_t count = guest_.room(4);
  for (const std::uint64_t length :
       {std::uint64_t{kEnd}, std::uint64_t{0x80000000}, std::uint64_t{0xffffffff}}) {
    EXPECT_EQ(guest_.call("random_get", {room, length}), Errno::fault);
    EXPECT_EQ(guest_.call("fd_readdir", {kInside, room, length, 0, count}), Errno::fault);
    EXPECT_EQ(guest_.call("fd_prestat_dir_name", {kInside, room, length}), Errno::fault);
    EXPECT_EQ(guest_.call("path_unlink_file", {kInside, room, length}), Errno::fault);
    EXPECT_EQ(guest_.call("path_open", {kInside, 0, room, length, 0, 0, 0, 0, count}),
              Errno::fault);
    EXPECT_EQ(guest_.call("poll_oneoff", {room, room, length, count}), Errno::fault);
    EXPECT_EQ(guest_.call("fd_read", {0, room, length, count}), Errno::inval);
    const std::uint32_t vector =
        guest_.put_vector(static_cast<std::uint32_t>(room), static_cast<std::uint32_t>(length));
    EXPECT_EQ(guest_.call("fd_read", {0, vector, 1, count}), Errno::fault);
    EXPECT_EQ(guest_.call("fd_write", {1, vector, 1, count}), Errno::fault);
  }
}

TEST_F(WasiHostileTest, EveryClosedDescriptorIsBad) {
  for (const WasiSignature& signature : wasi_signatures()) {
    const bool takes_fd = signature.name.starts_with("fd_") ||
                          signature.name.starts_with("sock_") ||
                          (signature.name.starts_with("path_") && signature.name != "path_symlink");
    if (!takes_fd) continue;
    for (const std::uint64_t fd : {7u, 63u, 64u, 1000u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
      std::vector<std::uint64_t> parameters(signature.parameters.size(), 0);
      parameters[0] = fd;
      EXPECT_EQ(guest_.call(signature.name, parameters), Errno::badf)
          << signature.name << " " << fd;
    }
  }
  EXPECT_EQ(guest_.symlink("file", 7, "x"), Errno::badf);
}

TEST_F(WasiHostileTest, EveryFunctionSurvivesEveryExtremeNumber) {
  const std::array<std::uint64_t, 11> extremes = {0,
                                                  1,
                                                  3,
                                                  5,
                                                  kEnd - 4,
                                                  kEnd,
                                                  0x7fffffff,
                                                  0x80000000,
                                                  0xffffffff,
                                                  0x7fffffffffffffff,
                                                  0xffffffffffffffff};
  for (const WasiSignature& signature : wasi_signatures()) {
    const std::size_t count = signature.parameters.size();
    // All the same, and each one extreme among zeros.
    for (const std::uint64_t extreme : extremes) {
      FakeGuest fresh(options());
      fresh.call(signature.name, std::vector<std::uint64_t>(count, extreme));
      for (std::size_t position = 0; position < count; ++position) {
        std::vector<std::uint64_t> parameters(count, 0);
        parameters[position] = extreme;
        fresh.call(signature.name, parameters);
      }
    }
  }
}

// Numbers that get far: open descriptors, small lengths, addresses of real structures, and now and
// then anything. The seed is fixed, so a failure comes again.
TEST_F(WasiHostileTest, RandomCallsNeverLeaveMemoryOrTheDirectory) {
  std::mt19937_64 random(20240229);
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  const std::array<std::string_view, 12> paths = {
      "file", "link",        "a",     "a/b",     "..",     "../outside/secret.txt",
      ".",    "/etc/passwd", "link/", "a/../..", "./file", "b"};

  const auto number = [&]() -> std::uint64_t {
    switch (below(8)) {
      case 0:
        return below(8);
      case 1:
        return below(32);
      case 2:
        return below(kEnd);
      case 3:
        return kEnd - below(64);
      case 4:
        return random();
      case 5: {
        return guest_.put(paths[below(paths.size())]);
      }
      case 6:
        return guest_.put_vector(static_cast<std::uint32_t>(below(kEnd)),
                                 static_cast<std::uint32_t>(below(64)));
      default:
        return below(10);
    }
  };
  const auto all = wasi_signatures();
  std::size_t succeeded = 0;
  for (int round = 0; round < 200; ++round) {
    // A memory full of random small words, so that structures read from anywhere mean something.
    for (std::uint32_t at = 0; at + 4 <= 4096; at += 4) {
      ASSERT_TRUE(guest_.memory().write(at, static_cast<std::uint32_t>(below(4096))));
    }
    for (int i = 0; i < 100; ++i) {
      const WasiSignature& signature = all[below(all.size())];
      if (signature.name == "fd_close" && below(4) != 0) continue;  // keep some open
      // Disk space is the operator's; a sparse terabyte is no crash but slow to clean up.
      if (signature.name == "fd_allocate" || signature.name == "fd_filestat_set_size") continue;
      if (signature.name == "fd_pwrite" || signature.name == "fd_fdstat_set_rights") continue;
      std::vector<std::uint64_t> parameters;
      for (std::size_t p = 0; p < signature.parameters.size(); ++p) parameters.push_back(number());
      if (guest_.call(signature.name, parameters) == Errno::success) ++succeeded;
    }
    if (round % 20 == 19) {
      // Most descriptors are closed or replaced by now.
      guest_.process() = WasiProcess::create(options()).value();
    }
  }
  EXPECT_GT(succeeded, 500u);
  EXPECT_EQ(read_text(outside("secret.txt")), kSecret);
  EXPECT_TRUE(std::filesystem::is_empty(readonly()));
}

TEST_F(WasiHostileTest, MemoryOfNoPageFaultsEverything) {
  WasiProcess process = WasiProcess::create(options()).value();
  const GuestMemory memory(nullptr, 0);
  for (const Pointers& call : calls_with_pointers()) {
    std::vector<nur_value> values(call.good.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i].i64 = call.good[i];
    values[0].i32 = static_cast<std::uint32_t>(call.good[0]);
    if (call.name == "fd_fdstat_get" || call.name == "fd_filestat_get" || call.name == "fd_pread" ||
        call.name == "fd_pwrite" || call.name == "fd_read" || call.name == "fd_seek" ||
        call.name == "fd_tell" || call.name == "fd_write") {
      continue;  // the file is not open in this process
    }
    find_wasi_function(call.name)(&process, memory, values.data());
    EXPECT_EQ(static_cast<Errno>(values[0].i32), Errno::fault) << call.name;
  }
}

TEST_F(WasiHostileTest, OpeningForEverEndsInAFullTable) {
  int opened = 0;
  Errno error = Errno::success;
  for (; opened < 1000 && error == Errno::success; ++opened) {
    error = guest_.open(kInside, "file").error;
  }
  EXPECT_EQ(error, Errno::mfile);
  EXPECT_LT(opened, 64);
}

}  // namespace
}  // namespace nur
