// Counts words, matches patterns and prints tables: a program that uses much of the C++ library.
#include <algorithm>
#include <complex>
#include <deque>
#include <functional>
#include <iomanip>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Number {
  double value;
};
struct Word {
  std::string text;
};
struct List;
using Value = std::variant<Number, Word, std::shared_ptr<List>>;
struct List {
  std::vector<Value> items;
};

// (sum 1 2 (product 3 4)) and the like.
class Parser {
 public:
  explicit Parser(std::istream& input) : input_(input) {}
  std::optional<Value> next() {
    input_ >> std::ws;
    const int c = input_.peek();
    if (c == EOF || c == ')') return std::nullopt;
    if (c == '(') {
      input_.get();
      auto list = std::make_shared<List>();
      while (auto item = next()) list->items.push_back(*item);
      input_.get();
      return Value(list);
    }
    if (std::isdigit(c) != 0) {
      double number = 0;
      input_ >> number;
      return Value(Number{number});
    }
    std::string word;
    while (std::isalpha(input_.peek()) != 0) word += static_cast<char>(input_.get());
    if (word.empty()) return std::nullopt;
    return Value(Word{word});
  }

 private:
  std::istream& input_;
};

double evaluate(const Value& value) {
  if (const auto* number = std::get_if<Number>(&value)) return number->value;
  if (std::holds_alternative<Word>(value)) return 0;
  const List& list = *std::get<std::shared_ptr<List>>(value);
  if (list.items.empty()) return 0;
  const auto* name = std::get_if<Word>(&list.items.front());
  std::vector<double> values;
  for (std::size_t i = name != nullptr ? 1 : 0; i < list.items.size(); ++i)
    values.push_back(evaluate(list.items[i]));
  static const std::map<std::string, std::function<double(const std::vector<double>&)>> kFunctions{
      {"sum", [](const auto& v) { return std::accumulate(v.begin(), v.end(), 0.0); }},
      {"product",
       [](const auto& v) { return std::accumulate(v.begin(), v.end(), 1.0, std::multiplies<>()); }},
      {"largest",
       [](const auto& v) { return v.empty() ? 0.0 : *std::max_element(v.begin(), v.end()); }},
      {"median",
       [](auto v) {
         if (v.empty()) return 0.0;
         std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
         return v[v.size() / 2];
       }},
  };
  const auto found = kFunctions.find(name != nullptr ? name->text : "sum");
  return found == kFunctions.end() ? 0 : found->second(values);
}

}  // namespace

int main(int argc, char** argv) {
  std::stringstream text;
  for (int i = 1; i < argc; ++i) text << argv[i] << ' ';
  if (argc == 1) text << std::cin.rdbuf();
  const std::string all = text.str();

  std::map<std::string, int> counts;
  const std::regex word("[[:alpha:]]+");
  for (std::sregex_iterator at(all.begin(), all.end(), word), end; at != end; ++at)
    ++counts[at->str()];
  std::vector<std::pair<std::string, int>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [name, count] : sorted)
    std::cout << std::left << std::setw(12) << name << std::right << std::setw(4) << count << '\n';

  Parser parser(text);
  while (const auto value = parser.next())
    std::cout << std::fixed << std::setprecision(3) << evaluate(*value) << '\n';

  std::mt19937 random(42);
  std::uniform_int_distribution<int> die(1, 6);
  std::unordered_map<int, int> rolls;
  for (int i = 0; i < 600; ++i) ++rolls[die(random)];
  std::priority_queue<std::pair<int, int>> most;
  for (const auto& [side, times] : rolls) most.emplace(times, side);
  std::cout << std::polar(1.0, 0.5) << ' ' << most.top().second << '\n';
}
