#include "config_file.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::models {
namespace {

bool is_positive(const nlohmann::json& value) {
    return value.is_number_integer() && value.get<std::int64_t>() >= 1;
}

}  // namespace

ConfigFile::ConfigFile(const CheckpointConfig& config, std::string path) : path_(std::move(path)) {
    auto json = nlohmann::json::parse(file_content(config, path_), nullptr, false);
    require(json.is_object(),
            ErrorKind::input,
            "{}: not a JSON object (expected the config of a model)",
            path_);
    json_ = std::make_unique<const nlohmann::json>(std::move(json));
}

ConfigFile::~ConfigFile() = default;

const nlohmann::json& ConfigFile::value(std::string_view key) const {
    static const nlohmann::json missing;
    const auto found = json_->find(key);
    return found == json_->end() ? missing : *found;
}

bool ConfigFile::is_unset(std::string_view key) const {
    return value(key).is_null();
}

void ConfigFile::refuse(std::string_view key, std::string_view expected) const {
    fail(ErrorKind::input,
         "{}: '{}' is {} (expected {})",
         path_,
         key,
         value(key).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
         expected);
}

std::int64_t ConfigFile::positive(std::string_view key, std::int64_t otherwise) const {
    if (is_unset(key)) {
        return otherwise;
    }
    if (!is_positive(value(key))) {
        refuse(key, "a whole number of at least 1");
    }
    return value(key).get<std::int64_t>();
}

std::vector<std::int64_t> ConfigFile::positives(std::string_view key,
                                                std::vector<std::int64_t> otherwise,
                                                std::size_t count) const {
    if (is_unset(key)) {
        return otherwise;
    }
    const nlohmann::json& list = value(key);
    if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_positive) ||
        (count != 0 && list.size() != count)) {
        refuse(key,
               count == 0 ? std::string("a list of whole numbers of at least 1")
                          : fmt::format("a list of {} whole numbers of at least 1", count));
    }
    return list.get<std::vector<std::int64_t>>();
}

double ConfigFile::number(std::string_view key, double otherwise) const {
    if (is_unset(key)) {
        return otherwise;
    }
    if (!value(key).is_number()) {
        refuse(key, "a number");
    }
    return value(key).get<double>();
}

std::vector<double> ConfigFile::numbers(std::string_view key) const {
    if (is_unset(key)) {
        return {};
    }
    const nlohmann::json& list = value(key);
    if (!list.is_array() ||
        !std::all_of(list.begin(), list.end(), [](const auto& v) { return v.is_number(); })) {
        refuse(key, "a list of numbers");
    }
    return list.get<std::vector<double>>();
}

bool ConfigFile::boolean(std::string_view key, bool otherwise) const {
    if (is_unset(key)) {
        return otherwise;
    }
    if (!value(key).is_boolean()) {
        refuse(key, "true or false");
    }
    return value(key).get<bool>();
}

std::string ConfigFile::text(std::string_view key, std::string otherwise) const {
    if (is_unset(key)) {
        return otherwise;
    }
    if (!value(key).is_string()) {
        refuse(key, "a text");
    }
    return value(key).get<std::string>();
}

void ConfigFile::require_unset(std::string_view key, std::string_view why) const {
    if (!is_unset(key)) {
        refuse(key, fmt::format("null: {}", why));
    }
}

void ConfigFile::require_text(std::string_view key, std::string_view expected) const {
    if (text(key, std::string(expected)) != expected) {
        refuse(key, fmt::format("\"{}\"", expected));
    }
}

void ConfigFile::require_boolean(std::string_view key, bool expected, std::string_view why) const {
    if (boolean(key, expected) != expected) {
        refuse(key, fmt::format("{}: {}", expected, why));
    }
}

}  // namespace reelyard::models
