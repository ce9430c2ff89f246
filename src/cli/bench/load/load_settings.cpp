#include "load_settings.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include <boost/program_options.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "../../arguments.hpp"
#include "../size_text.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

constexpr std::int64_t least_synthetic = 16 * mebibyte;
constexpr std::int64_t page = 4 * kibibyte;

/// The options that need more than a type, as they were typed.
struct Words {
    std::string synthesize;
    std::string strategy;
    std::string dtype;
    std::string verify;
    std::string piece;
};

po::options_description describe(LoadSettings& settings, Words& words) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("store", po::value<std::string>()->value_name("FILE"), "weight store to load (required)")
        ("synthesize", po::value(&words.synthesize)->value_name("SIZE"),
         "make the store if it is not there: a random model of about that size (4GiB), with the tensors "
         "of Wan2.1-14B scaled down, in bfloat16")
        ("strategy", po::value(&words.strategy)->default_value("once")->value_name("NAME"),
         "once: every byte is read by one rank, as 'run' does; everyone: every rank reads everything "
         "through the page cache into memory of its own, as most programs do")
        ("transport", po::value(&settings.transport)->default_value("auto")->value_name("NAME"),
         "how bytes are read: auto, collective or direct")
        ("component", po::value(&settings.component)->value_name("NAME"),
         "load this component only, for example transformer")
        ("dtype", po::value(&words.dtype)->default_value("stored")->value_name("TYPE"),
         "stored, float32, float16 or bfloat16: what the weights become on the way")
        ("tensor-parallel", po::value(&settings.tensor_parallel)->default_value(1)->value_name("N"),
         "N ranks each hold a slice of the split weights")
        ("weight-shards", po::value(&settings.weight_shards)->default_value(1)->value_name("N"),
         "N ranks each hold a part of every block")
        ("private", po::bool_switch(&settings.private_copies),
         "every rank has a copy of its own; without it the ranks of a node share one")
        ("ranks-per-node", po::value(&settings.ranks_per_node)->default_value(0)->value_name("N"),
         "count each run of N ranks as a node; 0: as they really lie")
        ("verify", po::value(&words.verify)->default_value("true")->value_name("true|false"),
         "compare checksums while loading")
        ("repetitions", po::value(&settings.repetitions)->default_value(3)->value_name("R"),
         "loads and raw reads, alternating")
        ("piece", po::value(&words.piece)->value_name("SIZE"), "largest single read, for example 16MiB")
        ("warm", po::bool_switch(&settings.warm), "do not drop the store from the page cache")
        ("untouched", po::bool_switch(&settings.untouched),
         "do not touch memory before each phase")
        ("json", po::bool_switch(&settings.json), "print all figures as JSON")
        ("quiet", po::bool_switch(&settings.quiet), "no messages besides the figures")
        ("help", po::bool_switch(&settings.help), "print this text");
    // clang-format on
    return known;
}

std::int64_t parse_bytes(const std::string& option, const std::string& text) {
    const auto bytes = bytes_from_string(text);
    require(bytes.has_value(),
            ErrorKind::usage,
            "bench load: {} is '{}' (expected a size such as 64MiB or 4GiB)",
            option,
            text);
    return *bytes;
}

void check_shards(const std::string& option, int degree, int ranks) {
    require(degree >= 1 && ranks % degree == 0,
            ErrorKind::usage,
            "bench load: {} is {} with {} ranks (expected a divisor of the number of ranks)",
            option,
            degree,
            ranks);
}

void check_strategy(const po::variables_map& values) {
    constexpr std::array only_once{"transport",
                                   "dtype",
                                   "tensor-parallel",
                                   "weight-shards",
                                   "private",
                                   "ranks-per-node",
                                   "verify",
                                   "piece"};
    for (const char* name : only_once) {
        require(
            values.count(name) == 0 || values[name].defaulted(),
            ErrorKind::usage,
            "bench load: --{} goes with --strategy once: with everyone each rank reads all bytes "
            "for itself and keeps them as they are",
            name);
    }
}

void read_words(LoadSettings& settings, const Words& words) {
    if (!words.synthesize.empty()) {
        settings.synthesize_bytes = parse_bytes("--synthesize", words.synthesize);
        require(settings.synthesize_bytes >= least_synthetic,
                ErrorKind::usage,
                "bench load: --synthesize is {} (expected {} or more)",
                words.synthesize,
                format_bytes(least_synthetic));
    }
    require(words.strategy == "once" || words.strategy == "everyone",
            ErrorKind::usage,
            "bench load: --strategy is '{}' (expected once or everyone)",
            words.strategy);
    settings.strategy = words.strategy == "once" ? LoadStrategy::once : LoadStrategy::everyone;
    settings.dtype = dtype_from_string(words.dtype);
    require(settings.dtype || words.dtype == "stored",
            ErrorKind::usage,
            "bench load: --dtype is '{}' (expected stored, float32, float16 or bfloat16)",
            words.dtype);
    require(words.verify == "true" || words.verify == "false",
            ErrorKind::usage,
            "bench load: --verify is '{}' (expected true or false)",
            words.verify);
    settings.verify = words.verify == "true";
    if (!words.piece.empty()) {
        settings.piece_bytes = parse_bytes("--piece", words.piece);
        require(settings.piece_bytes % page == 0 && settings.piece_bytes <= gibibyte,
                ErrorKind::usage,
                "bench load: --piece is {} (expected a multiple of {}, at most {})",
                words.piece,
                format_bytes(page),
                format_bytes(gibibyte));
    }
}

void check_numbers(const LoadSettings& settings, int ranks) {
    check_shards("--tensor-parallel", settings.tensor_parallel, ranks);
    check_shards("--weight-shards", settings.weight_shards, ranks);
    require(settings.tensor_parallel == 1 || settings.weight_shards == 1,
            ErrorKind::usage,
            "bench load: --tensor-parallel and --weight-shards are both given (expected one)");
    require(settings.ranks_per_node >= 0,
            ErrorKind::usage,
            "bench load: --ranks-per-node is {} (expected 0 or more)",
            settings.ranks_per_node);
    require(settings.repetitions >= 1,
            ErrorKind::usage,
            "bench load: --repetitions is {} (expected 1 or more)",
            settings.repetitions);
    const auto known = store::transport_names();
    require(std::find(known.begin(), known.end(), settings.transport) != known.end(),
            ErrorKind::usage,
            "bench load: --transport is '{}' (expected {})",
            settings.transport,
            fmt::join(known, ", "));
}

}  // namespace

LoadSettings parse_load_settings(const std::vector<std::string>& arguments, int ranks) {
    LoadSettings settings;
    Words words;
    const auto known = describe(settings, words);
    const auto values = read_arguments("bench load", known, "", arguments);
    if (settings.help) {
        return settings;
    }
    require(values.count("store") != 0,
            ErrorKind::usage,
            "bench load: --store FILE is missing; see reelyard bench load --help");
    settings.store = values["store"].as<std::string>();
    read_words(settings, words);
    if (settings.strategy == LoadStrategy::everyone) {
        check_strategy(values);
    }
    check_numbers(settings, ranks);
    return settings;
}

std::string load_settings_help() {
    LoadSettings settings;
    Words words;
    std::ostringstream text;
    text << "Loads the weights of a store again and again, and says what it costs: bytes used, "
            "read and\n"
            "exchanged, seconds and memory, beside a raw parallel read of the same bytes.\n\n"
            "usage: reelyard bench load --store FILE [options]\n"
            "       mpirun -n N reelyard bench load --store FILE [options]\n\n"
            "Loads and raw reads alternate. Before each the store is dropped from the page cache "
            "(--warm\n"
            "leaves it there), and every rank touches and frees as much memory as it is about to "
            "need\n"
            "(--untouched leaves that out): on a virtual machine the first use of a page may cost "
            "more\n"
            "than reading it, which is no property of loading. Times run between barriers and are "
            "those of\n"
            "the slowest rank.\n\n"
         << describe(settings, words);
    return text.str();
}

}  // namespace reelyard::cli
