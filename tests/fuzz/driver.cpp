// Runs a fuzz target on seeded random mutations of a corpus. It is not guided by coverage (GCC has no
// libFuzzer): the corpus has to hold the shapes that matter. The same seed and corpus give the same inputs,
// on any machine.
//
//   fuzz_NAME --corpus DIR [--runs N] [--seed S] [--save FILE]   mutate; FILE holds the input that is being
//   tried fuzz_NAME FILE...                                            run these inputs as they are, to
//   reproduce a crash
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kLargestInput = std::size_t{256} << 10;
constexpr int kMostMutations = 8;

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(2);
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

void try_input(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    if (files.empty()) fail("no corpus in " + folder.string());
    std::sort(files.begin(), files.end());  // the order of a directory differs from machine to machine
    std::vector<std::string> corpus;
    for (const auto& file : files) corpus.push_back(read_file(file));
    return corpus;
}

// The words and marks that the corpus is made of, and values at which parsers break.
std::vector<std::string> read_tokens(const std::vector<std::string>& corpus) {
    std::vector<std::string> tokens = {
        std::string(1, '\0'),
        "\xff",
        "\xc0\xaf",
        "\xed\xa0\x80",
        "\\u0000",
        "\\ud800",
        "-1",
        "1e999",
        "18446744073709551616",
        "9007199254740993",
        "[[[[[[[[",
        "{\"\":",
        "**",
        "..",
        "//",
    };
    for (const auto& text : corpus) {
        for (std::size_t from = 0; from < text.size();) {
            const auto in_word = [](char c) {
                return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
            };
            std::size_t to = from + 1;
            while (in_word(text[from]) && to < text.size() && in_word(text[to])) ++to;
            tokens.push_back(text.substr(from, std::min<std::size_t>(to - from, 64)));
            from = to;
        }
    }
    std::sort(tokens.begin(), tokens.end());
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    return tokens;
}

class Mutator {
  public:
    Mutator(std::vector<std::string> corpus, std::uint64_t seed)
        : corpus_(std::move(corpus)), tokens_(read_tokens(corpus_)), random_(seed) {}

    std::string next() {
        std::string text = one_of(corpus_);
        for (auto left = 1 + below(kMostMutations); left > 0; --left) mutate(text);
        if (text.size() > kLargestInput) text.resize(kLargestInput);
        return text;
    }

  private:
    // Plain modulo: std::uniform_int_distribution differs between libraries, and the bias does not matter
    // here.
    std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
    const std::string& one_of(const std::vector<std::string>& all) { return all[below(all.size())]; }

    std::string slice_of(const std::string& text) {
        const auto from = below(text.size() + 1);
        return text.substr(from, 1 + below(std::min<std::size_t>(text.size() - from + 1, 512)));
    }

    void mutate(std::string& text) {
        const auto at = below(text.size() + 1);
        switch (below(8)) {
            case 0:  // a bit flips
                if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
                break;
            case 1:  // a byte becomes another
                if (at < text.size()) text[at] = static_cast<char>(below(256));
                break;
            case 2:
                text.insert(at, one_of(tokens_));
                break;
            case 3:
                text.replace(at, 1 + below(8), one_of(tokens_));
                break;
            case 4:
                text.erase(at, 1 + below(64));
                break;
            case 5:
                text.insert(at, slice_of(text));
                break;  // something is there twice
            case 6:
                text.insert(at, slice_of(one_of(corpus_)));
                break;
            default:  // cut off, and the tail of another one put on
                text.resize(at);
                if (below(2) != 0) text += slice_of(one_of(corpus_));
        }
    }

    std::vector<std::string> corpus_;
    std::vector<std::string> tokens_;
    std::mt19937_64 random_;
};

struct Options {
    std::string corpus, save = "fuzz-input";
    std::uint64_t runs = 2000, seed = 1;
    std::vector<std::string> inputs;
};

std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) fail("not a number: " + text);
    return value;
}

Options read_options(const std::vector<std::string>& words) {
    Options options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--")) {
            options.inputs.push_back(words[i]);
            continue;
        }
        if (i + 1 == words.size()) fail(words[i] + " needs a value");
        const auto& value = words[i + 1];
        if (words[i] == "--corpus")
            options.corpus = value;
        else if (words[i] == "--save")
            options.save = value;
        else if (words[i] == "--runs")
            options.runs = number(value);
        else if (words[i] == "--seed")
            options.seed = value == "random" ? std::random_device{}() : number(value);
        else
            fail("unknown option " + words[i]);
        ++i;
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = read_options({argv + 1, argv + argc});
    for (const auto& input : options.inputs) try_input(read_file(input));
    if (!options.inputs.empty()) return 0;

    const auto corpus = read_corpus(options.corpus);
    for (const auto& input : corpus) try_input(input);
    std::printf("seed %llu, %llu mutations of %zu inputs; the one that is tried: %s\n",
                static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(options.runs),
                corpus.size(), options.save.c_str());
    std::fflush(stdout);
    Mutator mutator(corpus, options.seed);
    for (std::uint64_t run = 0; run < options.runs; ++run) {
        const auto input = mutator.next();
        std::ofstream(options.save, std::ios::binary | std::ios::trunc) << input;
        try_input(input);
    }
    std::filesystem::remove(options.save);
    return 0;
}
