// Keys and values of all functions in one SQLite file.
//
// One connection writes, in one process, with the file locked for as long as it is open; many
// requests share a transaction. In WAL mode with synchronous=NORMAL a commit is a write into the
// page cache: what was answered survives every death of processes, and after a power cut the last
// moments may be missing, but nothing is torn.
//
// A value that has outlived its lifetime is gone for all who ask, and is removed a little later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "host/kv/kv_message.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nur {

struct KvLimits {
  // Of one namespace: keys and values together, and kKvKeyOverhead for each key.
  std::uint64_t bytes_max = std::uint64_t{256} << 20;
  // Of namespaces that have a bound of their own.
  std::map<std::string, std::uint64_t, std::less<>> bytes_max_of{};
  std::uint64_t keys_max = 1'000'000;
  // One per function that has ever stored something.
  std::size_t spaces_max = 10'000;
  // What all takes in memory, where it is there, with what SQLite adds.
  std::uint64_t memory_bytes_max = std::uint64_t{768} << 20;
};

inline constexpr std::uint64_t kKvKeyOverhead = 64;

// `limits` for the namespaces of `users`, each with the bound that it was given, if it was. In
// memory they share: each of the others has the same part of kKvMemoryBytes, so that none can take
// what is another's, whatever SQLite makes of it.
KvLimits shared_out(KvLimits limits,
                    const std::map<std::string, std::optional<std::uint64_t>, std::less<>>& users,
                    bool is_memory);
inline constexpr std::uint64_t kKvMemoryBytes = std::uint64_t{128} << 20;

class KvDatabase {
 public:
  // `path` has no value: in memory, for as long as this object lives. Errors: invalid_input when
  // the file is something else; exhausted when somebody else has it open, or it cannot be written.
  static Result<std::unique_ptr<KvDatabase>> open(const std::optional<Path>& path,
                                                  const KvLimits& limits);
  ~KvDatabase();
  KvDatabase(const KvDatabase&) = delete;
  KvDatabase& operator=(const KvDatabase&) = delete;

  // Whoever has no room left for what it stores is named in the log, once a minute at most.
  //
  // Does what is asked for, in one transaction, and replies to each in turn. When that fails (a
  // disk that is full), each is tried by itself, and those that cannot be done get
  // KvCode::absent. `now_ms` is the time since 1970. Ends early, behind the first one at least,
  // once the replies have `reply_bytes_max` bytes or `is_over` says so: the requests behind the
  // last reply are not done.
  std::vector<KvReply> execute(
      std::span<const KvRequest> requests, std::int64_t now_ms,
      std::size_t reply_bytes_max = SIZE_MAX,
      const std::function<bool()>& is_over = [] { return false; });

  // Removes at most `rows_max` values that have outlived their lifetime; returns how many.
  std::size_t purge(std::int64_t now_ms, std::size_t rows_max);

  // Writes what is in the log into the file itself.
  void checkpoint();

 private:
  // A prepared statement, bound and read by position.
  class Statement;
  struct Space {
    std::int64_t id = 0;
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_max = 0;
    bool is_changed = false;
  };
  struct Row {
    std::int64_t id = 0;
    std::uint64_t bytes = 0;  // of key and value
    std::int64_t expires = 0;
  };

  KvDatabase(sqlite3* connection, const KvLimits& limits);
  Result<void> prepare(bool is_memory);
  bool run(const char* sql);
  bool begin();
  bool commit();
  void roll_back();

  KvReply execute(const KvRequest& request, std::int64_t now_ms);
  KvReply get(const KvRequest& request, Space& space, std::int64_t now_ms);
  KvReply set(const KvRequest& request, Space& space, std::int64_t now_ms);
  KvReply remove(const KvRequest& request, Space& space, std::int64_t now_ms);
  KvReply increment(const KvRequest& request, Space& space, std::int64_t now_ms);
  KvReply list(const KvRequest& request, Space& space, std::int64_t now_ms);

  [[nodiscard]] std::uint64_t bytes_max_of(const std::string& space) const;
  void say_that_it_is_full(const std::string& space, std::int64_t now_ms);
  // nullptr when there are too many.
  Space* space_of(const std::string& name, bool make);
  std::optional<Row> find(const Space& space, const std::string& key, std::string* value);
  // ok or limit.
  KvCode put(Space& space, const std::string& key, const std::string& value, std::int64_t expires,
             const std::optional<Row>& old, std::int64_t now_ms);
  void erase(Space& space, const Row& row);
  void note_change(Space& space);
  std::size_t purge_rows(sqlite3_stmt* select, std::int64_t now_ms);

  sqlite3* connection_;
  const KvLimits limits_;
  std::map<std::string, Space, std::less<>> spaces_;
  std::map<std::int64_t, std::string> space_names_;
  std::vector<Space*> changed_;                                 // since the transaction began
  std::map<std::string, std::int64_t, std::less<>> said_full_;  // when; of namespaces
  bool failed_ = false;                                         // since the transaction began
  std::vector<sqlite3_stmt*> statements_;
};

}  // namespace nur
