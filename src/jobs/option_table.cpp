#include "option_table.hpp"

#include <algorithm>

#include "reelyard/base/format.hpp"

#include "parsing/value_text.hpp"

namespace reelyard::jobs {
namespace {

using Expected = std::optional<std::string>;
using Setter = std::function<Expected(JobOptions&, const GivenValue&)>;

constexpr std::int64_t tile_multiple = 16;  // whole latent pixels, for any of the codecs
constexpr std::int64_t smallest_tile = 64;

/// A path that `member(job)` gives a reference to.
template <typename Member>
Setter path_setter(Member member) {
    return [member](JobOptions& job, const GivenValue& given) -> Expected {
        if (given.text.empty()) {
            return "a path";
        }
        member(job) = given.folder / given.text;
        return std::nullopt;
    };
}

/// A choice between two words.
template <typename Member>
Setter switch_setter(Member member, const std::string& yes, const std::string& no) {
    return [=](JobOptions& job, const GivenValue& given) -> Expected {
        if (given.text != yes && given.text != no) {
            return fmt::format("{} or {}", yes, no);
        }
        member(job) = given.text == yes;
        return std::nullopt;
    };
}

template <typename Member>
Setter flag_setter(Member member) {
    return switch_setter(member, "true", "false");
}

template <typename Member>
Setter tile_setter(Member member) {
    return [member](JobOptions& job, const GivenValue& given) -> Expected {
        const auto value = parse_integer(given.text);
        if (!value || *value < smallest_tile || *value % tile_multiple != 0) {
            return fmt::format("a multiple of {}, {} or more", tile_multiple, smallest_tile);
        }
        member(job) = *value;
        return std::nullopt;
    };
}

Expected set_dtype(JobOptions& job, const GivenValue& given) {
    const auto dtype = dtype_from_string(given.text);
    if (dtype != DType::float32 && dtype != DType::bfloat16) {
        return "float32 or bfloat16";
    }
    job.model.dtype = *dtype;
    return std::nullopt;
}

Expected set_device(JobOptions& job, const GivenValue& given) {
    constexpr std::string_view numbered = "cuda:";
    const auto& text = given.text;
    const bool is_numbered =
        text.starts_with(numbered) && text.size() > numbered.size() &&
        text.size() <= numbered.size() + 3 &&
        text.find_first_not_of("0123456789", numbered.size()) == std::string::npos;
    if (text != "auto" && text != "cpu" && text != "cuda" && !is_numbered) {
        return "auto, cpu, cuda or cuda:N";
    }
    job.model.device = text;
    return std::nullopt;
}

/// One of some names.
template <typename Member>
Setter name_setter(Member member, const std::vector<std::string>& names) {
    return [=](JobOptions& job, const GivenValue& given) -> Expected {
        if (std::find(names.begin(), names.end(), given.text) == names.end()) {
            return fmt::format("one of {}", fmt::join(names, ", "));
        }
        member(job) = given.text;
        return std::nullopt;
    };
}

Expected set_staged(JobOptions& job, const GivenValue& given) {
    if (given.text.empty()) {
        return "auto, off or a folder";
    }
    const bool is_folder = given.text != "auto" && given.text != "off";
    job.load.staged = is_folder ? (given.folder / given.text).string() : given.text;
    return std::nullopt;
}

/// For [generate]: the job file and the command line stay apart, because a prompt's own settings
/// come between them.
Setter generation_setter(const std::string& key, const KnownNames& names) {
    return [key, names](JobOptions& job, const GivenValue& given) -> Expected {
        auto& layer = given.place.file == command_line ? job.generate_on_command_line
                                                       : job.generate_in_job_file;
        layer.places[key] = given.place;
        return set_from_text(layer.settings, key, given.text, names);
    };
}

void add_input_options(std::vector<Option>& table) {
    table.push_back({"model.store",
                     "FILE",
                     "the model's weights, made by `reelyard import`",
                     path_setter([](JobOptions & job) -> auto& { return job.model.store; })});
    table.push_back(
        {"model.dtype", "TYPE", "compute type: float32 or bfloat16 [bfloat16]", set_dtype});
    table.push_back({"model.device",
                     "DEVICE",
                     "auto, cpu, cuda or cuda:N; auto takes a GPU where there is one [auto]",
                     set_device});
    table.push_back({"prompts.file",
                     "FILE",
                     "the prompts, one video each: .txt, .jsonl or .csv",
                     path_setter([](JobOptions & job) -> auto& { return job.prompts; })});
}

void add_load_options(std::vector<Option>& table, const KnownNames& names) {
    table.push_back(
        {"load.transport",
         "NAME",
         fmt::format("how weights are read: {}; {} goes by the file system [{}]",
                     fmt::join(names.transports, ", "),
                     names.transports.at(0),
                     names.transports.at(0)),
         name_setter(
             [](JobOptions & job) -> auto& { return job.load.transport; }, names.transports)});
    table.push_back({"load.verify",
                     "true|false",
                     "compare weights with their checksums as they are read [true]",
                     flag_setter([](JobOptions & job) -> auto& { return job.load.verify; })});
    table.push_back({"load.staged",
                     "auto|off|FOLDER",
                     "where `reelyard stage` has put copies of stores; auto is its default [auto]",
                     set_staged});
}

/// A number of ranks, or 0 for `auto`.
template <typename Member>
Setter degree_setter(Member member, std::int64_t most) {
    return [=](JobOptions& job, const GivenValue& given) -> Expected {
        if (given.text == "auto") {
            member(job) = 0;
            return std::nullopt;
        }
        const auto value = parse_integer(given.text);
        if (!value || *value < 1 || *value > most) {
            return fmt::format("auto or a whole number from 1 to {}", most);
        }
        member(job) = static_cast<int>(*value);
        return std::nullopt;
    };
}

Expected set_timeout(JobOptions& job, const GivenValue& given) {
    const auto value = parse_number(given.text);
    if (!value || *value <= 0.0) {
        return "seconds, more than 0";
    }
    job.parallel.timeout = *value;
    return std::nullopt;
}

void add_parallel_options(std::vector<Option>& table) {
    constexpr std::int64_t most_ranks = 1024;
    const auto add = [&](const char* name, std::int64_t most, const char* help, auto member) {
        table.push_back(
            {std::string("parallel.") + name, "N|auto", help, degree_setter(member, most)});
    };
    add(
        "cfg", 2, "2: the two branches of the guidance on ranks of their own [auto]", [
        ](JobOptions & job) -> auto& { return job.parallel.cfg; });
    add(
        "ring", most_ranks, "ranks that keys and values of a video travel around [auto]", [
        ](JobOptions & job) -> auto& { return job.parallel.ring; });
    add(
        "ulysses", most_ranks, "ranks that trade tokens of a video for attention heads [auto]", [
        ](JobOptions & job) -> auto& { return job.parallel.ulysses; });
    add(
        "tensor", most_ranks, "ranks that share the weights of each layer [auto]", [
        ](JobOptions & job) -> auto& { return job.parallel.tensor; });
    table.push_back(
        {"parallel.shard_weights",
         "true|false",
         "ranks of a video that hold the same weights keep a part of each block [false]",
         flag_setter([](JobOptions & job) -> auto& { return job.parallel.shard_weights; })});
    table.push_back({"parallel.goal",
                     "throughput|latency",
                     "what `auto` is for: most videos in a time, or one soonest [throughput]",
                     name_setter([](JobOptions & job) -> auto& { return job.parallel.goal; },
                                 {"throughput", "latency"})});
    table.push_back({"parallel.timeout",
                     "SECONDS",
                     "how long ranks of one video wait for one another [600]",
                     set_timeout});
}

void add_generation_options(std::vector<Option>& table, const KnownNames& names) {
    const auto add = [&](const std::string& name, const char* value_name, std::string help) {
        table.push_back(
            {"generate." + name, value_name, std::move(help), generation_setter(name, names)});
    };
    const auto choice = [](const char* what, const std::vector<std::string>& known) {
        return fmt::format("{}: {} [{}]", what, fmt::join(known, ", "), known.at(0));
    };
    add("negative_prompt", "TEXT", "what the video shall not be [the model's own]");
    add("size", "WxH", "width x height in pixels [the model's, 832x480 for Wan2.1]");
    add("frames", "N", "length of the video, 4k+1 [the model's, 81 for Wan2.1]");
    add("steps", "N", "denoising steps, 1 to 1000 [the model's, 50 for Wan2.1]");
    add("guidance_scale", "X", "guidance; 1 or less is none [the model's, 5 for Wan2.1]");
    add("flow_shift", "X", "shift of the noise levels [the model's, 5 for Wan2.1]");
    add("sampler", "NAME", choice("sampler", names.samplers));
    add("sigma_schedule", "NAME", choice("table of noise levels", names.sigma_schedules));
    add("seed",
        "N",
        "base seed: a prompt without a seed of its own gets one made from this and its id [42]");
    table.push_back({"generate.sequence_batch",
                     "true|false",
                     "both branches of the guidance in one pass, for all prompts [false]",
                     flag_setter([](JobOptions & job) -> auto& { return job.sequence_batch; })});
}

void add_output_options(std::vector<Option>& table, const KnownNames& names) {
    table.push_back(
        {"decode.tiling",
         "on|off",
         "decode in overlapping tiles: less memory, slightly different pixels [off]",
         switch_setter(
             [](JobOptions & job) -> auto& { return job.decode.tiling; }, "on", "off")});
    table.push_back({"decode.tile_size", "N", "side of a tile in pixels [256]", tile_setter([
                     ](JobOptions & job) -> auto& { return job.decode.tile_size; })});
    table.push_back(
        {"decode.tile_stride",
         "N",
         "from tile to tile in pixels; the rest overlaps [192]",
         tile_setter([](JobOptions & job) -> auto& { return job.decode.tile_stride; })});
    table.push_back({"output.dir", "FOLDER", "where everything goes [out]", path_setter([
                     ](JobOptions & job) -> auto& { return job.output.dir; })});
    table.push_back(
        {"output.video",
         "FORMAT",
         fmt::format("{} [{}]", fmt::join(names.video_formats, ", "), names.video_formats.at(0)),
         name_setter(
             [](JobOptions & job) -> auto& { return job.output.video; }, names.video_formats)});
    table.push_back({"output.latents",
                     "true|false",
                     "keep the final latents as safetensors [false]",
                     flag_setter([](JobOptions & job) -> auto& { return job.output.latents; })});
    table.push_back({"output.frames",
                     "true|false",
                     "keep the frames as floats in safetensors [false]",
                     flag_setter([](JobOptions & job) -> auto& { return job.output.frames; })});
    table.push_back(
        {"output.contact_sheet",
         "true|false",
         "make one picture with frames of all videos [false]",
         flag_setter([](JobOptions & job) -> auto& { return job.output.contact_sheet; })});
    table.push_back({"log.file",
                     "FILE",
                     "also write messages, with time stamps, to this file [none]",
                     path_setter([](JobOptions & job) -> auto& { return job.log.file; })});
    table.push_back({"log.trace",
                     "FILE",
                     "write to this file what each rank computes and exchanges, and when [none]",
                     path_setter([](JobOptions & job) -> auto& { return job.log.trace; })});
}

}  // namespace

std::vector<Option> option_table(const KnownNames& names) {
    std::vector<Option> table;
    add_input_options(table);
    add_load_options(table, names);
    add_parallel_options(table);
    add_generation_options(table, names);
    add_output_options(table, names);
    return table;
}

}  // namespace reelyard::jobs
