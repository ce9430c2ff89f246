#include "reelyard/pipeline/text_stage.hpp"

#include <algorithm>
#include <set>

#include <c10/core/InferenceMode.h>

#include "reelyard/base/error.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"

namespace reelyard::pipeline {

std::vector<std::string> distinct_texts(const std::vector<Task>& tasks) {
    std::set<std::string> texts;
    for (const Task& task : tasks) {
        texts.insert(task.prompt);
        if (uses_guidance(task)) {
            texts.insert(task.negative_prompt);
        }
    }
    std::vector<std::string> sorted(texts.begin(), texts.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const std::string& a, const std::string& b) {
        return a.size() > b.size();
    });
    return sorted;
}

std::vector<std::string> texts_of_rank(const std::vector<std::string>& texts, int rank, int ranks) {
    REELYARD_EXPECT(ranks > 0 && rank >= 0 && rank < ranks);
    std::vector<std::string> mine;
    for (auto i = static_cast<std::size_t>(rank); i < texts.size();
         i += static_cast<std::size_t>(ranks)) {
        mine.push_back(texts[i]);
    }
    return mine;
}

void encode_texts(const std::vector<std::string>& texts,
                  const models::Conditioner& conditioner,
                  const ConditioningCache& cache) {
    const c10::InferenceMode inference;
    for (const std::string& text : texts) {
        in_context([&] { cache.put(text, conditioner.encode(text)); },
                   "encoding the text '{}'",
                   text.substr(0, 60));
    }
}

}  // namespace reelyard::pipeline
