#include "comm_settings.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <boost/program_options.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/parallel/backend_registry.hpp"

#include "../../arguments.hpp"
#include "../size_text.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

constexpr std::int64_t least_size = 4 * kibibyte;
constexpr std::int64_t most_size = 64 * mebibyte;
constexpr std::int64_t step = 4;

/// The options that need more than a type, as they were typed.
struct Words {
    std::string sizes;
    std::string dtype;
};

po::options_description describe(CommSettings& settings, Words& words) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("sizes", po::value(&words.sizes)->value_name("SIZE,..."),
         "bytes of the data of an operation, for example 4KiB,1MiB; without it 4KiB to 64MiB, each four "
         "times the one before")
        ("group", po::value(&settings.group)->value_name("N"),
         "each run of N ranks is a group, all of them at work at the same time; without it all ranks "
         "are one")
        ("dtype", po::value(&words.dtype)->default_value("float32")->value_name("TYPE"),
         "float32 or bfloat16: of the elements")
        ("device", po::value(&settings.device)->default_value("auto")->value_name("NAME"),
         "where the data is: cpu, cuda, cuda:N or auto")
        ("backend", po::value(&settings.backend)->default_value("auto")->value_name("NAME"),
         "what carries the messages: mpi, nccl, or auto (nccl where each rank has a GPU of its own)")
        ("repetitions", po::value(&settings.repetitions)->default_value(settings.repetitions)
             ->value_name("R"), "of each measurement, after one that does not count")
        ("timeout", po::value(&settings.timeout)->default_value(settings.timeout)->value_name("SECONDS"),
         "that one operation may take")
        ("json", po::bool_switch(&settings.json), "print all figures as JSON")
        ("help", po::bool_switch(&settings.help), "print this text");
    // clang-format on
    return known;
}

std::vector<std::int64_t> default_sizes() {
    std::vector<std::int64_t> sizes;
    for (std::int64_t size = least_size; size <= most_size; size *= step) {
        sizes.push_back(size);
    }
    return sizes;
}

std::vector<std::int64_t> parse_sizes(const std::string& text, std::int64_t element) {
    std::vector<std::int64_t> sizes;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        const auto bytes = bytes_from_string(word);
        require(bytes && *bytes % element == 0,
                ErrorKind::usage,
                "bench comm: --sizes has '{}' (expected sizes such as 4KiB,1MiB, each a multiple "
                "of the {} bytes of an element)",
                word,
                element);
        sizes.push_back(*bytes);
    }
    require(!sizes.empty(),
            ErrorKind::usage,
            "bench comm: --sizes is empty (expected sizes such as 4KiB,1MiB)");
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    return sizes;
}

void read_words(CommSettings& settings, const Words& words, const po::variables_map& values) {
    const auto dtype = dtype_from_string(words.dtype);
    require(dtype && *dtype != DType::float16,
            ErrorKind::usage,
            "bench comm: --dtype is '{}' (expected float32 or bfloat16)",
            words.dtype);
    settings.dtype = *dtype;
    settings.sizes = values.count("sizes") == 0 ? default_sizes()
                                                : parse_sizes(words.sizes, size_of(settings.dtype));
}

void check_numbers(const CommSettings& settings, int ranks) {
    require(settings.group >= 1 && ranks % settings.group == 0,
            ErrorKind::usage,
            "bench comm: --group is {} with {} ranks (expected a divisor of the number of ranks)",
            settings.group,
            ranks);
    require(settings.repetitions >= 1,
            ErrorKind::usage,
            "bench comm: --repetitions is {} (expected 1 or more)",
            settings.repetitions);
    require(std::isfinite(settings.timeout) && settings.timeout > 0.0,
            ErrorKind::usage,
            "bench comm: --timeout is {} (expected more than 0 seconds)",
            settings.timeout);
    const auto known = parallel::backend_names();
    require(std::find(known.begin(), known.end(), settings.backend) != known.end(),
            ErrorKind::usage,
            "bench comm: --backend is '{}' (expected one of: {})",
            settings.backend,
            fmt::join(known, ", "));
}

}  // namespace

CommSettings parse_comm_settings(const std::vector<std::string>& arguments, int ranks) {
    CommSettings settings;
    Words words;
    const auto known = describe(settings, words);
    const po::variables_map values = read_arguments("bench comm", known, "", arguments);
    if (settings.help) {
        return settings;
    }
    if (values.count("group") == 0) {
        settings.group = ranks;
    }
    read_words(settings, words, values);
    check_numbers(settings, ranks);
    return settings;
}

std::string comm_settings_help() {
    CommSettings settings;
    Words words;
    std::ostringstream text;
    text << "Times what the ranks of a group exchange while they make a video together: each\n"
            "operation at each size, beside a plain exchange between neighbours over MPI and a "
            "copy\n"
            "within each rank.\n\n"
            "usage: mpirun -n N reelyard bench comm [options]\n\n"
         << describe(settings, words);
    return text.str();
}

}  // namespace reelyard::cli
