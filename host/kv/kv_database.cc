#include "host/kv/kv_database.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "base/log.h"
#include "base/units.h"

namespace nur {
namespace {

// "nur kv" as a file of this program's, and the version of its tables.
constexpr int kApplicationId = 0x6e75726b;
constexpr int kVersion = 1;

// How long the file may be somebody else's: of a nurhost that is just about to end.
constexpr int kLockPatienceMs = 5000;

// Rows that are removed at once because somebody needs their room.
constexpr std::int64_t kMakeRoomRows = 1000;

// Between two lines of the log that say the same of a namespace.
constexpr std::int64_t kSayAgainMs = 60'000;

// What SQLite takes for what is charged with so much, at most: an entry is a cell of a table and
// one of an index, the key in both, in pages that are a third full or more.
constexpr std::uint64_t kMemoryFactor = 6;
constexpr std::uint64_t kMemoryBytesLeast = std::uint64_t{4} << 20;
constexpr std::uint64_t kPageBytes = 4096;

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS spaces(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,"
    "  keys INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS entries(id INTEGER PRIMARY KEY, space INTEGER NOT NULL,"
    "  key BLOB NOT NULL, expires INTEGER NOT NULL, value BLOB NOT NULL);"
    "CREATE UNIQUE INDEX IF NOT EXISTS by_key ON entries(space, key);"
    "CREATE INDEX IF NOT EXISTS by_expiry ON entries(expires) WHERE expires > 0;"
    "CREATE INDEX IF NOT EXISTS by_space_expiry ON entries(space, expires) WHERE expires > 0;";

enum Prepared : std::size_t {
  kFind,
  kInsert,
  kUpdate,
  kErase,
  kList,
  kAddSpace,
  kSaveSpace,
  kExpired,
  kExpiredOfSpace,
  kPrepared,
};
constexpr const char* kSql[kPrepared] = {
    "SELECT id, length(key) + length(value), expires, value FROM entries "
    "WHERE space = ?1 AND key = ?2",
    "INSERT INTO entries(space, key, expires, value) VALUES(?1, ?2, ?3, ?4)",
    "UPDATE entries SET expires = ?2, value = ?3 WHERE id = ?1",
    "DELETE FROM entries WHERE id = ?1",
    "SELECT key, expires FROM entries WHERE space = ?1 AND key >= ?2 ORDER BY key",
    "INSERT INTO spaces(name, keys, bytes) VALUES(?1, 0, 0)",
    "UPDATE spaces SET keys = ?2, bytes = ?3 WHERE id = ?1",
    "SELECT id, length(key) + length(value), space FROM entries "
    "WHERE expires > 0 AND expires <= ?1 LIMIT ?2",
    "SELECT id, length(key) + length(value), space FROM entries "
    "WHERE space = ?3 AND expires > 0 AND expires <= ?1 LIMIT ?2",
};

bool is_live(std::int64_t expires, std::int64_t now_ms) { return expires == 0 || expires > now_ms; }

std::int64_t expiry(std::int64_t lifetime_ms, std::int64_t now_ms) {
  if (lifetime_ms <= 0) return 0;
  return lifetime_ms > std::numeric_limits<std::int64_t>::max() - now_ms ? 0 : now_ms + lifetime_ms;
}

KvReply reply(KvCode code) { return {.code = static_cast<std::int64_t>(code)}; }

bool is_key(const std::string& key) { return !key.empty() && key.size() <= kKvKeyBytesMax; }

// Names as they are: SQLite would make them absolute, and whoever opens the file may be in a folder
// whose parents it cannot reach.
int keep_name(sqlite3_vfs*, const char* name, int bytes_max, char* out) {
  const std::size_t bytes = std::strlen(name) + 1;
  if (bytes > static_cast<std::size_t>(bytes_max)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, bytes);
  return SQLITE_OK;
}

// The system call itself: newer C libraries make another one of it, that takes paths, too.
int status_of(int file, struct stat* status) {
  return static_cast<int>(::syscall(SYS_fstat, file, status));
}

const char* vfs_of_plain_names() {
  static sqlite3_vfs vfs = [] {
    ::sqlite3_initialize();
    sqlite3_vfs* const usual = ::sqlite3_vfs_find("unix");
    usual->xSetSystemCall(usual, "fstat", reinterpret_cast<sqlite3_syscall_ptr>(status_of));
    sqlite3_vfs made = *usual;
    made.zName = "nur";
    made.pNext = nullptr;
    made.xFullPathname = keep_name;
    return made;
  }();
  static const int registered = ::sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

}  // namespace

class KvDatabase::Statement {
 public:
  Statement(KvDatabase& database, std::size_t which)
      : database_(database), statement_(database.statements_[which]) {}
  ~Statement() {
    ::sqlite3_reset(statement_);
    ::sqlite3_clear_bindings(statement_);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // The bytes are not copied: they outlive the statement.
  Statement& bind(int place, std::string_view bytes) {
    ::sqlite3_bind_blob64(statement_, place, bytes.empty() ? "" : bytes.data(), bytes.size(),
                          SQLITE_STATIC);
    return *this;
  }
  Statement& bind(int place, std::int64_t value) {
    ::sqlite3_bind_int64(statement_, place, value);
    return *this;
  }
  // Whether there is a row. What fails is remembered by the database.
  bool step() {
    const int status = ::sqlite3_step(statement_);
    if (status == SQLITE_ROW) return true;
    if (status != SQLITE_DONE) database_.failed_ = true;
    return false;
  }
  [[nodiscard]] std::int64_t number(int column) const {
    return ::sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] std::string_view bytes(int column) const {
    const void* const data = ::sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string_view()
                           : std::string_view(static_cast<const char*>(data), size);
  }

 private:
  KvDatabase& database_;
  sqlite3_stmt* statement_;
};

KvLimits shared_out(KvLimits limits,
                    const std::map<std::string, std::optional<std::uint64_t>, std::less<>>& users,
                    bool is_memory) {
  const auto sharing = static_cast<std::uint64_t>(
      std::ranges::count_if(users, [](const auto& user) { return !user.second; }));
  if (is_memory && sharing > 0) {
    limits.bytes_max = std::min(limits.bytes_max, kKvMemoryBytes / sharing);
  }
  std::uint64_t sum = 0;
  for (const auto& [name, own] : users) {
    if (own) limits.bytes_max_of[name] = *own;
    sum += own.value_or(limits.bytes_max);
  }
  limits.memory_bytes_max = std::max(sum * kMemoryFactor, kMemoryBytesLeast);
  return limits;
}

Result<std::unique_ptr<KvDatabase>> KvDatabase::open(const std::optional<Path>& path,
                                                     const KvLimits& limits) {
  sqlite3* connection = nullptr;
  const int status = ::sqlite3_open_v2(
      path ? path->c_str() : ":memory:", &connection,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
      path ? vfs_of_plain_names() : nullptr);
  std::unique_ptr<KvDatabase> database(new KvDatabase(connection, limits));
  if (status != SQLITE_OK || connection == nullptr) {
    return fail(ErrorKind::exhausted, "{}: {}", path ? path->string() : "memory",
                connection == nullptr ? "out of memory" : ::sqlite3_errmsg(connection));
  }
  NUR_TRY(in_context(database->prepare(!path), path ? path->string() : "memory"));
  return database;
}

KvDatabase::KvDatabase(sqlite3* connection, const KvLimits& limits)
    : connection_(connection), limits_(limits) {}

KvDatabase::~KvDatabase() {
  for (sqlite3_stmt* const statement : statements_) ::sqlite3_finalize(statement);
  ::sqlite3_close(connection_);
}

bool KvDatabase::run(const char* sql) {
  return ::sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

Result<void> KvDatabase::prepare(bool is_memory) {
  const auto explain = [this]() -> std::unexpected<Error> {
    const std::string text = ::sqlite3_errmsg(connection_);
    switch (::sqlite3_errcode(connection_)) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        return fail(ErrorKind::exhausted, "another nurhost has it open");
      case SQLITE_NOTADB:
      case SQLITE_CORRUPT:
        return fail(ErrorKind::invalid_input, "{}; move it away, or name another folder", text);
      default:
        return fail(ErrorKind::exhausted, "{}", text);
    }
  };
  ::sqlite3_busy_timeout(connection_, kLockPatienceMs);
  ::sqlite3_db_config(connection_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // No page of a file from elsewhere may make this one run anything.
  ::sqlite3_db_config(connection_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  ::sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  // The lock first: it makes the index of the log private memory instead of a third file.
  for (const char* const sql :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA temp_store=MEMORY", "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=NORMAL", "PRAGMA cache_size=-16384",
        "PRAGMA journal_size_limit=67108864", "BEGIN IMMEDIATE"}) {
    if (!run(sql)) return explain();
  }
  const auto pragma = [this](const char* sql) {
    sqlite3_stmt* statement = nullptr;
    ::sqlite3_prepare_v2(connection_, sql, -1, &statement, nullptr);
    const int value =
        ::sqlite3_step(statement) == SQLITE_ROW ? ::sqlite3_column_int(statement, 0) : 0;
    ::sqlite3_finalize(statement);
    return value;
  };
  if (is_memory &&
      !run(
          fmt::format("PRAGMA max_page_count={}", limits_.memory_bytes_max / kPageBytes).c_str())) {
    return explain();
  }
  const int application = pragma("PRAGMA application_id");
  const int version = pragma("PRAGMA user_version");
  const int tables = pragma("SELECT count(*) FROM sqlite_schema");
  if (tables != 0 && application != kApplicationId) {
    return fail(ErrorKind::invalid_input, "is a database of something else; name another folder");
  }
  if (tables != 0 && version != kVersion) {
    return fail(ErrorKind::invalid_input, "has version {}, this nurhost knows {}", version,
                kVersion);
  }
  if (!run(kTables) ||
      !run(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kVersion)
               .c_str()) ||
      !run("COMMIT")) {
    return explain();
  }
  for (const char* const sql : kSql) {
    sqlite3_stmt* statement = nullptr;
    if (::sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                             nullptr) != SQLITE_OK) {
      return explain();
    }
    statements_.push_back(statement);
  }
  roll_back();  // reads the spaces
  return {};
}

bool KvDatabase::begin() {
  failed_ = false;
  return run("BEGIN");
}

bool KvDatabase::commit() {
  for (Space* const space : changed_) {
    space->is_changed = false;
    Statement(*this, kSaveSpace)
        .bind(1, space->id)
        .bind(2, static_cast<std::int64_t>(space->keys))
        .bind(3, static_cast<std::int64_t>(space->bytes))
        .step();
  }
  changed_.clear();
  return !failed_ && run("COMMIT");
}

// What was counted since the last commit counts no more.
void KvDatabase::roll_back() {
  if (::sqlite3_get_autocommit(connection_) == 0) run("ROLLBACK");
  changed_.clear();
  spaces_.clear();
  space_names_.clear();
  sqlite3_stmt* statement = nullptr;
  ::sqlite3_prepare_v2(connection_, "SELECT id, name, keys, bytes FROM spaces", -1, &statement,
                       nullptr);
  while (::sqlite3_step(statement) == SQLITE_ROW) {
    const void* const data = ::sqlite3_column_blob(statement, 1);
    const std::string name(static_cast<const char*>(data == nullptr ? "" : data),
                           static_cast<std::size_t>(::sqlite3_column_bytes(statement, 1)));
    const std::int64_t id = ::sqlite3_column_int64(statement, 0);
    spaces_[name] = {.id = id,
                     .keys = static_cast<std::uint64_t>(::sqlite3_column_int64(statement, 2)),
                     .bytes = static_cast<std::uint64_t>(::sqlite3_column_int64(statement, 3)),
                     .bytes_max = bytes_max_of(name)};
    space_names_[id] = name;
  }
  ::sqlite3_finalize(statement);
}

std::vector<KvReply> KvDatabase::execute(std::span<const KvRequest> requests, std::int64_t now_ms,
                                         std::size_t reply_bytes_max,
                                         const std::function<bool()>& is_over) {
  std::vector<KvReply> replies;
  replies.reserve(requests.size());
  const auto attempt = [&](std::span<const KvRequest> together) {
    if (!begin()) return false;
    std::size_t bytes = 0;
    bool is_first = true;
    for (const KvRequest& request : together) {
      if (!std::exchange(is_first, false) && (bytes >= reply_bytes_max || is_over())) break;
      replies.push_back(execute(request, now_ms));
      replies.back().id = request.id;
      bytes += replies.back().bytes.size();
      if (failed_) return false;
    }
    return commit();
  };
  if (attempt(requests)) return replies;
  spdlog::warn("key-value store: {}", ::sqlite3_errmsg(connection_));
  roll_back();
  replies.clear();
  for (const KvRequest& request : requests) {
    const std::size_t before = replies.size();
    if (before > 0 && is_over()) break;
    if (attempt({&request, 1})) continue;
    roll_back();
    replies.resize(before);
    replies.push_back(reply(KvCode::absent));
    replies.back().id = request.id;
  }
  return replies;
}

KvReply KvDatabase::execute(const KvRequest& request, std::int64_t now_ms) {
  const bool is_list = request.kind == KvRequest::Kind::list;
  if (is_list ? request.key.size() > kKvKeyBytesMax || request.value.size() > kKvKeyBytesMax
              : !is_key(request.key)) {
    return reply(KvCode::argument);
  }
  if (request.lifetime_ms < 0) return reply(KvCode::argument);
  const bool makes =
      request.kind == KvRequest::Kind::set || request.kind == KvRequest::Kind::increment;
  Space none;
  Space* space = space_of(request.space, makes);
  if (space == nullptr && makes) return reply(KvCode::limit);
  if (space == nullptr) space = &none;
  switch (request.kind) {
    case KvRequest::Kind::get:
      return get(request, *space, now_ms);
    case KvRequest::Kind::set:
      return set(request, *space, now_ms);
    case KvRequest::Kind::remove:
      return remove(request, *space, now_ms);
    case KvRequest::Kind::increment:
      return increment(request, *space, now_ms);
    case KvRequest::Kind::list:
      break;
  }
  return list(request, *space, now_ms);
}

std::uint64_t KvDatabase::bytes_max_of(const std::string& space) const {
  const auto found = limits_.bytes_max_of.find(space);
  return found == limits_.bytes_max_of.end() ? limits_.bytes_max : found->second;
}

void KvDatabase::say_that_it_is_full(const std::string& space, std::int64_t now_ms) {
  const auto [said, is_first] = said_full_.try_emplace(space, now_ms);
  if (!is_first && now_ms - said->second < kSayAgainMs) return;
  said->second = now_ms;
  spdlog::warn(
      "function {}: has stored all that it may, {} or {} keys, and is refused more (limits.kv of "
      "nur.toml, --kv-max)",
      printable(space, 200), format_size(bytes_max_of(space)), limits_.keys_max);
}

KvReply KvDatabase::get(const KvRequest& request, Space& space, std::int64_t now_ms) {
  std::string value;
  const std::optional<Row> row = find(space, request.key, &value);
  if (!row || !is_live(row->expires, now_ms)) return reply(KvCode::absent);
  return {.code = static_cast<std::int64_t>(value.size()), .bytes = std::move(value)};
}

KvReply KvDatabase::set(const KvRequest& request, Space& space, std::int64_t now_ms) {
  if (request.value.size() > kKvValueBytesMax) return reply(KvCode::limit);
  const std::optional<Row> old = find(space, request.key, nullptr);
  return reply(
      put(space, request.key, request.value, expiry(request.lifetime_ms, now_ms), old, now_ms));
}

KvReply KvDatabase::remove(const KvRequest& request, Space& space, std::int64_t now_ms) {
  const std::optional<Row> row = find(space, request.key, nullptr);
  if (!row) return reply(KvCode::ok);
  erase(space, *row);
  return {.code = is_live(row->expires, now_ms) ? 1 : 0};
}

KvReply KvDatabase::increment(const KvRequest& request, Space& space, std::int64_t now_ms) {
  std::string text;
  const std::optional<Row> row = find(space, request.key, &text);
  const bool is_there = row && is_live(row->expires, now_ms);
  std::int64_t value = 0;
  if (is_there) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
      return reply(KvCode::argument);
    }
  }
  if (__builtin_add_overflow(value, request.number, &value)) return reply(KvCode::argument);
  const std::int64_t expires = is_there ? row->expires : expiry(request.lifetime_ms, now_ms);
  KvReply made = reply(put(space, request.key, std::to_string(value), expires, row, now_ms));
  made.number = value;
  return made;
}

KvReply KvDatabase::list(const KvRequest& request, Space& space, std::int64_t now_ms) {
  const std::size_t room =
      static_cast<std::size_t>(std::clamp<std::int64_t>(request.number, 0, kKvListBytesMax));
  Statement rows(*this, kList);
  const std::string& from = std::max(request.key, request.value);
  rows.bind(1, space.id).bind(2, from);
  KvReply made;
  bool is_cut = false;
  for (std::size_t seen = 0; rows.step(); ++seen) {
    const std::string_view key = rows.bytes(0);
    if (!key.starts_with(request.key)) break;
    const bool is_asked_for = key != request.value && is_live(rows.number(1), now_ms);
    if (is_asked_for) {
      const auto length = static_cast<std::uint32_t>(key.size());
      if (made.bytes.size() + sizeof length + key.size() > room) {
        is_cut = true;
        break;
      }
      made.bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
      made.bytes += key;
    }
    if (seen + 1 < kKvListKeysMax) continue;
    if (!made.bytes.empty()) break;
    return {.code = static_cast<std::int64_t>(KvCode::unfinished), .bytes = std::string(key)};
  }
  if (is_cut && made.bytes.empty()) return reply(KvCode::limit);
  made.code = static_cast<std::int64_t>(made.bytes.size());
  return made;
}

KvDatabase::Space* KvDatabase::space_of(const std::string& name, bool make) {
  const auto found = spaces_.find(name);
  if (found != spaces_.end()) return &found->second;
  if (!make || spaces_.size() >= limits_.spaces_max) return nullptr;
  Statement(*this, kAddSpace).bind(1, name).step();
  if (failed_) return nullptr;
  const std::int64_t id = ::sqlite3_last_insert_rowid(connection_);
  space_names_[id] = name;
  return &spaces_.emplace(name, Space{.id = id, .bytes_max = bytes_max_of(name)}).first->second;
}

std::optional<KvDatabase::Row> KvDatabase::find(const Space& space, const std::string& key,
                                                std::string* value) {
  Statement statement(*this, kFind);
  statement.bind(1, space.id).bind(2, key);
  if (!statement.step()) return std::nullopt;
  if (value != nullptr) value->assign(statement.bytes(3));
  return Row{.id = statement.number(0),
             .bytes = static_cast<std::uint64_t>(statement.number(1)),
             .expires = statement.number(2)};
}

KvCode KvDatabase::put(Space& space, const std::string& key, const std::string& value,
                       std::int64_t expires, const std::optional<Row>& old, std::int64_t now_ms) {
  const std::uint64_t more = key.size() + value.size();
  std::optional<Row> row = old;
  const auto fits = [&] {
    const std::uint64_t less = row ? row->bytes : 0;
    const std::uint64_t keys = space.keys + (row ? 0 : 1);
    const std::uint64_t bytes = space.bytes - std::min(less, space.bytes) + more;
    return bytes + keys * kKvKeyOverhead <= space.bytes_max && keys <= limits_.keys_max;
  };
  if (!fits()) {
    sqlite3_stmt* const expired = statements_[kExpiredOfSpace];
    ::sqlite3_bind_int64(expired, 2, kMakeRoomRows);
    ::sqlite3_bind_int64(expired, 3, space.id);
    purge_rows(expired, now_ms);
    // What was there may itself have been one of them.
    row = find(space, key, nullptr);
    if (!fits()) {
      say_that_it_is_full(space_names_.at(space.id), now_ms);
      return KvCode::limit;
    }
  }
  if (row) {
    Statement(*this, kUpdate).bind(1, row->id).bind(2, expires).bind(3, value).step();
    space.bytes -= std::min(row->bytes, space.bytes);
  } else {
    Statement(*this, kInsert).bind(1, space.id).bind(2, key).bind(3, expires).bind(4, value).step();
    ++space.keys;
  }
  space.bytes += more;
  note_change(space);
  return KvCode::ok;
}

void KvDatabase::note_change(Space& space) {
  if (!std::exchange(space.is_changed, true)) changed_.push_back(&space);
}

void KvDatabase::erase(Space& space, const Row& row) {
  Statement(*this, kErase).bind(1, row.id).step();
  space.keys -= std::min<std::uint64_t>(1, space.keys);
  space.bytes -= std::min(row.bytes, space.bytes);
  note_change(space);
}

// Of a statement that has all but the time bound.
std::size_t KvDatabase::purge_rows(sqlite3_stmt* select, std::int64_t now_ms) {
  struct Expired {
    Row row;
    std::int64_t space;
  };
  std::vector<Expired> expired;
  ::sqlite3_bind_int64(select, 1, now_ms);
  while (::sqlite3_step(select) == SQLITE_ROW) {
    expired.push_back({{.id = ::sqlite3_column_int64(select, 0),
                        .bytes = static_cast<std::uint64_t>(::sqlite3_column_int64(select, 1))},
                       ::sqlite3_column_int64(select, 2)});
  }
  ::sqlite3_reset(select);
  ::sqlite3_clear_bindings(select);
  for (const Expired& entry : expired) {
    const auto name = space_names_.find(entry.space);
    if (name != space_names_.end()) erase(spaces_.at(name->second), entry.row);
  }
  return expired.size();
}

std::size_t KvDatabase::purge(std::int64_t now_ms, std::size_t rows_max) {
  if (!begin()) return 0;
  sqlite3_stmt* const expired = statements_[kExpired];
  ::sqlite3_bind_int64(expired, 2, static_cast<std::int64_t>(rows_max));
  const std::size_t removed = purge_rows(expired, now_ms);
  if (!commit()) {
    roll_back();
    return 0;
  }
  return removed;
}

void KvDatabase::checkpoint() {
  ::sqlite3_wal_checkpoint_v2(connection_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

}  // namespace nur
