#include "reelyard/journal/job_record.hpp"

#include <map>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::journal {
namespace {

using Json = nlohmann::ordered_json;

constexpr int schema = 1;

/// As much of a value as a message can bear.
std::string shorten(const std::string& value) {
    constexpr std::size_t longest = 80;
    if (value.size() <= longest) {
        return value;
    }
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0U) == 0x80) {
        --end;  // not inside a letter
    }
    return value.substr(0, end) + "...";
}

std::string to_text(const JobDescription& job) {
    Json settings = Json::object();
    for (const auto& [key, value] : job.settings) {
        settings[key] = value;
    }
    const Json json{{"schema", schema},
                    {"program", job.program},
                    {"created", utc_now()},
                    {"settings", settings}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::map<std::string, std::string> read_settings(const std::filesystem::path& job_file) {
    try {
        const Json json = Json::parse(read_text_file(job_file));
        const int found = json.at("schema");
        require(found == schema,
                ErrorKind::input,
                "{}: 'schema' is {} (this program reads {})",
                job_file.string(),
                found,
                schema);
        return json.at("settings").get<std::map<std::string, std::string>>();
    } catch (const Json::exception& error) {
        fail(ErrorKind::input,
             "{}: is no job record ({}); use another output.dir",
             job_file.string(),
             error.what());
    }
}

[[noreturn]] void refuse(const std::filesystem::path& job_file,
                         const std::string& key,
                         const std::string& was,
                         const std::string& is) {
    fail(ErrorKind::input,
         "{}: '{}' was {} (this job has {}); use another output.dir",
         job_file.string(),
         key,
         shorten(was),
         shorten(is));
}

void compare(const std::filesystem::path& job_file, const JobDescription& job) {
    auto recorded = read_settings(job_file);
    for (const auto& [key, value] : job.settings) {
        const auto found = recorded.find(key);
        if (found == recorded.end()) {
            refuse(job_file, key, "not set", value);
        }
        if (found->second != value) {
            refuse(job_file, key, found->second, value);
        }
        recorded.erase(found);
    }
    if (!recorded.empty()) {
        refuse(job_file, recorded.begin()->first, recorded.begin()->second, "none");
    }
}

/// The first field in which two tasks differ, with both values.
struct Difference {
    std::string field;
    std::string was;
    std::string is;
};

std::optional<Difference> first_difference(const Task& was, const Task& is) {
    if (was == is) {
        return std::nullopt;
    }
    const auto old_fields = nlohmann::json::parse(to_json(was));
    const auto new_fields = nlohmann::json::parse(to_json(is));
    for (const auto& [field, value] : new_fields.items()) {
        if (old_fields.at(field) != value) {
            return Difference{field, old_fields.at(field).dump(), value.dump()};
        }
    }
    return std::nullopt;
}

std::optional<Difference> first_difference(const Maker& was, const Maker& is) {
    if (was.family != is.family) {
        return Difference{"model.family", was.family, is.family};
    }
    if (was.checksum != is.checksum) {
        return Difference{"model.checksum", was.checksum, is.checksum};
    }
    if (was.dtype != is.dtype) {
        return Difference{"model.dtype", was.dtype, is.dtype};
    }
    return std::nullopt;
}

}  // namespace

void check_same_job(const std::filesystem::path& job_file,
                    const JobDescription& job,
                    FileSystem& files) {
    if (std::filesystem::exists(job_file)) {
        compare(job_file, job);
    } else {
        write_file_atomically(job_file, to_text(job), files);
    }
}

void check_same_tasks(const Ledger& ledger,
                      const std::vector<Task>& tasks,
                      const Maker& maker,
                      const std::filesystem::path& manifest) {
    for (const Task& task : tasks) {
        const Record* record = ledger.find(task.id);
        if (record == nullptr || record->result.state != TaskResult::State::done) {
            continue;
        }
        auto difference = first_difference(record->maker, maker);
        if (!difference) {
            difference = first_difference(record->task, task);
        }
        if (difference) {
            fail(ErrorKind::input,
                 "{}: '{}' of '{}' was {} (this job has {}); give the prompt another id or use "
                 "another output.dir",
                 manifest.string(),
                 difference->field,
                 task.id,
                 shorten(difference->was),
                 shorten(difference->is));
        }
    }
}

}  // namespace reelyard::journal
