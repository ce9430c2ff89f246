#include "inspect.hpp"

#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/checksum.hpp"
#include "reelyard/base/crc32.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/spec/tensor_spec.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "../arguments.hpp"
#include "../progress.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;
using nlohmann::json;
using store::StoredComponent;
using store::StoredFile;
using store::StoredTensor;
using store::StoreFile;

// A config that is longer is cut in the table; --json has all of it.
constexpr std::size_t longest_config = 600;

struct InspectOptions {
    std::string store;
    bool verify = false;
    bool json = false;
    bool tensors = false;
    bool quiet = false;
    bool help = false;
};

po::options_description describe(InspectOptions& options) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("store", po::value(&options.store)->value_name("FILE"), "weight store")
        ("verify", po::bool_switch(&options.verify), "compare every tensor with its checksum")
        ("tensors", po::bool_switch(&options.tensors), "list every tensor")
        ("json", po::bool_switch(&options.json), "print all there is to know as JSON")
        ("quiet", po::bool_switch(&options.quiet), "no progress bar")
        ("help", po::bool_switch(&options.help), "print this text");
    // clang-format on
    return known;
}

InspectOptions parse(const std::vector<std::string>& arguments) {
    InspectOptions options;
    const auto known = describe(options);
    read_arguments("inspect", known, "store", arguments);
    require(options.help || !options.store.empty(),
            ErrorKind::usage,
            "inspect: no weight store is named; see reelyard inspect --help");
    return options;
}

std::string help_text() {
    InspectOptions options;
    std::ostringstream text;
    text << "Shows what a weight store holds, and verifies it, alone or under mpirun.\n\n"
            "usage: reelyard inspect FILE [options]\n\n"
         << describe(options);
    return text.str();
}

/// What the tensors of a component add up to.
struct Totals {
    std::int64_t parameters = 0;
    std::int64_t bytes = 0;
    std::map<std::string, std::int64_t> dtypes = {};  ///< name -> parameters
};

Totals total_of(const StoredComponent& component) {
    Totals totals;
    for (const StoredTensor& tensor : component.tensors) {
        const std::int64_t count = element_count(tensor.shape);
        totals.parameters += count;
        totals.bytes += tensor.bytes;
        totals.dtypes[std::string(to_string(tensor.dtype))] += count;
    }
    return totals;
}

/// Adds to a component of the index what follows from it and from where its slab begins.
void complete(json& component, const StoredComponent& stored, std::int64_t slab_offset) {
    const Totals totals = total_of(stored);
    component["parameters"] = totals.parameters;
    component["bytes"] = totals.bytes;
    component["parameters_by_dtype"] = totals.dtypes;
    component["slab_offset"] = slab_offset;
    for (json& tensor : component["tensors"]) {
        tensor["file_offset"] = slab_offset + tensor["offset"].get<std::int64_t>();
    }
}

/// The JSON files among the embedded ones, by path.
json configs_of(const StoreFile& file) {
    json configs = json::object();
    for (const auto& [path, content] : file.config().files) {
        json value = json::parse(content, nullptr, /*allow_exceptions=*/false);
        if (!value.is_discarded()) {
            configs[path] = std::move(value);
        }
    }
    return configs;
}

/// The index, and what else there is to know.
json to_json(const StoreFile& file) {
    json value = json::parse(store::to_json(file.index()));
    for (json& component : value["components"]) {
        const auto name = component["name"].get<std::string>();
        complete(component, file.index().component(name), file.slab_offset(name));
    }
    value["path"] = file.path().string();
    value["fingerprint"] = file.fingerprint();
    value["file_bytes"] = std::filesystem::file_size(file.path());
    value["configs"] = configs_of(file);
    return value;
}

/// "1.3 billion", "14.2 million", "812".
std::string format_count(std::int64_t count) {
    const auto value = static_cast<double>(count);
    if (count >= 1'000'000'000) {
        return fmt::format("{:.2f} billion", value / 1e9);
    }
    return count >= 1'000'000 ? fmt::format("{:.2f} million", value / 1e6)
                              : fmt::format("{}", count);
}

std::string component_line(const StoredComponent& component) {
    const Totals totals = total_of(component);
    std::vector<std::string> dtypes;
    for (const auto& [dtype, parameters] : totals.dtypes) {
        const auto share =
            100.0 * static_cast<double>(parameters) / static_cast<double>(totals.parameters);
        dtypes.push_back(totals.dtypes.size() == 1 ? dtype
                                                   : fmt::format("{} {:.1f} %", dtype, share));
    }
    return fmt::format("  {:<14} {:<24} {:>7}  {:>14}  {:>9}  {}\n",
                       component.name,
                       component.class_name,
                       component.tensors.size(),
                       format_count(totals.parameters),
                       format_bytes(totals.bytes),
                       fmt::join(dtypes, ", "));
}

std::string tensor_lines(const StoredComponent& component) {
    std::string text = fmt::format("\ntensors of {}\n", component.name);
    for (const StoredTensor& tensor : component.tensors) {
        text += fmt::format("  {}  {} {}{}\n",
                            tensor.name,
                            to_string(tensor.dtype),
                            to_string(tensor.shape),
                            tensor.transposed ? ", stored transposed" : "");
    }
    return text;
}

std::string file_lines(const StoreFile& file) {
    std::string text = "\nconfigs and tokenizer\n";
    const json configs = configs_of(file);
    for (const StoredFile& entry : file.index().files) {
        std::string content = format_bytes(entry.bytes);
        if (configs.contains(entry.path)) {
            content = configs[entry.path].dump();
            if (content.size() > longest_config) {
                content = content.substr(0, longest_config) + " ...";
            }
        }
        text += fmt::format("  {}  {}\n", entry.path, content);
    }
    text += "\nmade from\n";
    for (const StoredFile& entry : file.index().sources) {
        text += fmt::format(
            "  {}  {}, XXH3 {}\n", entry.path, format_bytes(entry.bytes), to_hex(entry.checksum));
    }
    return text;
}

std::string to_table(const StoreFile& file, bool with_tensors) {
    std::string text = fmt::format(
        "{}: weight store of family '{}', schema version {}, {}\n\n"
        "  {:<14} {:<24} {:>7}  {:>14}  {:>9}  {}\n",
        file.path().string(),
        file.index().family,
        store::schema_version,
        format_bytes(static_cast<std::int64_t>(std::filesystem::file_size(file.path()))),
        "component",
        "class",
        "tensors",
        "parameters",
        "size",
        "stored as");
    for (const StoredComponent& component : file.index().components) {
        text += component_line(component);
    }
    text += file_lines(file);
    for (const StoredComponent& component : file.index().components) {
        text += with_tensors ? tensor_lines(component) : "";
    }
    return text;
}

}  // namespace

int inspect_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    InspectOptions options;
    mpi::together(world, [&] { options = parse(arguments); });
    if (options.help) {
        if (world.rank() == 0) {
            std::cout << help_text();
        }
        return 0;
    }
    const StoreFile file = StoreFile::open(options.store, world);
    std::vector<std::string> corrupted;
    if (options.verify) {
        ByteProgress progress("verify", choose_progress_output(world.rank(), options.quiet));
        corrupted =
            store::find_corrupted_tensors(file, world, [&](std::int64_t done, std::int64_t total) {
                progress.show(done, total);
            });
    }
    mpi::together(world, [&] {
        if (world.rank() == 0 && options.json) {
            json value = to_json(file);
            if (options.verify) {
                value["corrupted"] = corrupted;
            }
            std::cout << value.dump(2) << "\n";
        } else if (world.rank() == 0) {
            std::cout << to_table(file, options.tensors);
            std::cout << (options.verify && corrupted.empty() ? "\nall checksums agree\n" : "");
        }
        std::cout.flush();
        require(corrupted.empty(),
                ErrorKind::input,
                "{}: these tensors do not agree with their checksums: {}; import the checkpoint "
                "again",
                options.store,
                fmt::join(corrupted, ", "));
    });
    return 0;
}

}  // namespace reelyard::cli
