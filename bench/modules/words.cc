// A program that uses much of the C++ library: reads text, counts words, tidies the paths and
// evaluates the sums and products in it, and prints what came out.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Word {
  std::string text;
};
struct List;
using Value = std::variant<double, Word, std::shared_ptr<List>>;
struct List {
  std::vector<Value> items;
};

// (sum 1 2 (product 3 4)) and the like.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<Value> next() {
    while (!text_.empty() && text_.front() <= ' ') text_.remove_prefix(1);
    if (text_.empty() || text_.front() == ')') return std::nullopt;
    if (text_.front() == '(') {
      text_.remove_prefix(1);
      auto list = std::make_shared<List>();
      while (auto item = next()) list->items.push_back(*std::move(item));
      if (!text_.empty()) text_.remove_prefix(1);
      return Value(std::move(list));
    }
    const std::size_t end = std::min(text_.find_first_of(" \n()"), text_.size());
    const std::string token(text_.substr(0, end));
    text_.remove_prefix(end);
    char* rest = nullptr;
    const double number = std::strtod(token.c_str(), &rest);
    if (rest != token.c_str()) return Value(number);
    return Value(Word{token});
  }

 private:
  std::string_view text_;
};

using Numbers = std::vector<double>;
const std::map<std::string, std::function<double(Numbers)>, std::less<>> kFunctions{
    {"sum", [](const Numbers& v) { return std::accumulate(v.begin(), v.end(), 0.0); }},
    {"product",
     [](const Numbers& v) {
       return std::accumulate(v.begin(), v.end(), 1.0, std::multiplies<>());
     }},
    {"largest",
     [](const Numbers& v) { return v.empty() ? 0.0 : *std::max_element(v.begin(), v.end()); }},
    {"median",
     [](Numbers v) {
       if (v.empty()) return 0.0;
       std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
       return v[v.size() / 2];
     }},
};

double evaluate(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (std::holds_alternative<Word>(value)) return 0;
  const List& list = *std::get<std::shared_ptr<List>>(value);
  Numbers numbers;
  for (const Value& item : list.items) numbers.push_back(evaluate(item));
  const Word* name = list.items.empty() ? nullptr : std::get_if<Word>(&list.items.front());
  if (name == nullptr) return std::accumulate(numbers.begin(), numbers.end(), 0.0);
  numbers.erase(numbers.begin());
  const auto found = kFunctions.find(name->text);
  return found == kFunctions.end() ? 0 : found->second(numbers);
}

}  // namespace

int main() {
  std::string text;
  for (int c = std::getchar(); c != EOF; c = std::getchar()) text.push_back(static_cast<char>(c));

  std::unordered_map<std::string, int> counts;
  std::set<std::size_t> lengths;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find_first_not_of(" \n()0123456789.", at);
    if (begin == std::string::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \n()", begin), text.size());
    ++counts[text.substr(begin, end - begin)];
    lengths.insert(end - begin);
    at = end;
  }
  std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  for (const auto& [word, count] : sorted) std::printf("%-12s %4d\n", word.c_str(), count);

  for (const auto& [word, count] : sorted) {
    if (!word.starts_with('/')) continue;
    std::printf("%s\n", std::filesystem::path(word).lexically_normal().c_str());
  }
  Parser parser(text);
  while (const auto value = parser.next()) {
    if (std::holds_alternative<std::shared_ptr<List>>(*value)) {
      char text_of_sum[400];
      const auto [end, error] = std::to_chars(std::begin(text_of_sum), std::end(text_of_sum) - 1,
                                              evaluate(*value), std::chars_format::fixed, 3);
      *end = '\0';
      std::puts(error == std::errc() ? text_of_sum : "too large");
    }
  }
  std::mt19937 random(42);
  std::uniform_int_distribution<int> die(1, 6);
  std::map<int, int> rolls;
  for (int i = 0; i < 600; ++i) ++rolls[die(random)];
  std::priority_queue<std::pair<int, int>> most;
  for (const auto& [side, times] : rolls) most.emplace(times, side);
  std::printf("%zu lengths, %d rolled most\n", lengths.size(), most.top().second);
}
