#include "reelyard/spec/task.hpp"

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard {

std::string to_json(const Task& task) {
    const nlohmann::json json{
        {"id", task.id},
        {"prompt", task.prompt},
        {"negative_prompt", task.negative_prompt},
        {"seed", task.seed},
        {"width", task.size.width},
        {"height", task.size.height},
        {"frames", task.size.frames},
        {"steps", task.steps},
        {"guidance_scale", task.guidance_scale},
        {"flow_shift", task.flow_shift},
        {"sampler", task.sampler},
        {"sigma_schedule", task.sigma_schedule},
    };
    return json.dump();
}

Task task_from_json(const std::string& text) {
    try {
        const auto json = nlohmann::json::parse(text);
        return Task{
            .id = json.at("id"),
            .prompt = json.at("prompt"),
            .negative_prompt = json.at("negative_prompt"),
            .seed = json.at("seed"),
            .size = {.width = json.at("width"),
                     .height = json.at("height"),
                     .frames = json.at("frames")},
            .steps = json.at("steps"),
            .guidance_scale = json.at("guidance_scale"),
            .flow_shift = json.at("flow_shift"),
            .sampler = json.at("sampler"),
            .sigma_schedule = json.at("sigma_schedule"),
        };
    } catch (const nlohmann::json::exception& error) {
        fail(ErrorKind::internal, "a task cannot be read back: {}", error.what());
    }
}

double relative_cost(const Task& task) {
    // A token stands for 16x16 pixels of one latent frame. Beyond about 30,000 tokens attention
    // costs more than all else (Wan 14B at 480p: half of it).
    constexpr double tokens_of_equal_cost = 30000.0;
    const std::int64_t latent_frames = (task.size.frames - 1) / 4 + 1;
    const double tokens =
        static_cast<double>(task.size.width * task.size.height * latent_frames) / 256.0;
    const double branches = task.guidance_scale > 1.0 ? 2.0 : 1.0;
    return static_cast<double>(task.steps) * branches * tokens *
           (1.0 + tokens / tokens_of_equal_cost);
}

}  // namespace reelyard
