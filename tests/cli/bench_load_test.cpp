#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "support/program.hpp"

// `reelyard bench load` as a user sees it: what it counts, on a small synthetic store, in every way
// of loading; and what it refuses.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using parity::Outcome;
using parity::run_program;
using parity::ScratchFolder;
using testing::AllOf;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

using Arguments = std::vector<std::string>;

constexpr std::int64_t mebibyte = 1 << 20;

class BenchLoadTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        const Outcome made = run_program({"bench",
                                          "load",
                                          "--store=" + store(),
                                          "--synthesize=32MiB",
                                          "--repetitions=1",
                                          "--quiet"});
        ASSERT_EQ(made.exit_code, 0) << made.output;
    }
    static void TearDownTestSuite() { fs::remove(store()); }

    static std::string store() {
        return (fs::path(testing::TempDir()) / "bench_load_test.h5").string();
    }

    static Arguments with(const Arguments& more) {
        Arguments arguments{"bench", "load", "--store=" + store(), "--quiet", "--untouched"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    /// The figures of a run. What mpirun may say stands around them.
    static json figures(int ranks, Arguments more) {
        more.insert(more.begin(), "--json");
        if (std::none_of(more.begin(), more.end(), [](const std::string& argument) {
                return argument.starts_with("--repetitions");
            })) {
            more.emplace_back("--repetitions=1");
        }
        const Outcome outcome = run_program(with(more), ranks);
        const auto begin = outcome.output.find('{');
        const auto end = outcome.output.rfind('}');
        if (outcome.exit_code != 0 || begin == std::string::npos || end == std::string::npos) {
            throw std::runtime_error("no figures in: " + outcome.output);  // fails the test
        }
        return json::parse(outcome.output.substr(begin, end + 1 - begin));
    }

    static std::int64_t sum_of(const json& by_rank, const char* key) {
        std::int64_t sum = 0;
        for (const json& rank : by_rank) {
            sum += rank["loads"][0][key].get<std::int64_t>();
        }
        return sum;
    }
};

/// Bytes of all tensors as the store's own table lists them.
std::int64_t listed_bytes(const std::string& store) {
    const Outcome outcome = run_program({"inspect", store, "--json"});
    std::int64_t bytes = 0;
    const json shown = json::parse(outcome.output);
    for (const json& component : shown["components"]) {
        bytes += component["bytes"].get<std::int64_t>();
    }
    return bytes;
}

struct Way {
    std::string name;
    Arguments arguments;  // besides the transport
};

/// All ways of loading with a number of ranks.
std::vector<Way> ways(int ranks) {
    const std::string n = std::to_string(ranks);
    std::vector<Way> list{{"replicated", {}}};
    if (ranks > 1) {
        list.push_back({"tensor parallel", {"--tensor-parallel=" + n}});
        list.push_back({"weight shards", {"--weight-shards=" + n}});
        list.push_back({"nodes of one rank", {"--ranks-per-node=1"}});
    }
    return list;
}

// A tensor of this store is padded by less than 64 bytes, and 1,200 of them are in 32 MiB: 0.3 %.
// Reads begin and end on pages, so that ranks may read a page twice where their parts meet: some
// pages for each of three components and of the four ranks, less than 0.5 %.
constexpr double most_per_used = 1.01;

void expect_read_once(const json& found, std::int64_t expected_bytes) {
    EXPECT_EQ(found["bytes"]["used"], expected_bytes);
    EXPECT_THAT(found["bytes"]["read_per_used"].get<double>(), AllOf(Ge(1.0), Le(most_per_used)));
    if (found["page_cache_fraction_before"] == 0.0) {
        // The index and, with a slow start, parts of programs come on top.
        EXPECT_GE(found["bytes"]["read_by_system_per_used"].get<double>(), 1.0);
    }
}

class ReadOnce : public BenchLoadTest, public testing::WithParamInterface<int> {};

TEST_P(ReadOnce, whichever_way_weights_are_loaded) {
    const std::int64_t expected = listed_bytes(store());
    for (const std::string transport : {"direct", "collective"}) {
        for (Way way : ways(GetParam())) {
            SCOPED_TRACE(way.name + ", " + transport);
            way.arguments.push_back("--transport=" + transport);
            const json found = figures(GetParam(), way.arguments);

            expect_read_once(found, expected);
            EXPECT_EQ(found["ranks"], GetParam());
            EXPECT_EQ(found["by_rank"].size(), GetParam());
            EXPECT_EQ(found["settings"]["transport"], transport);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Ranks, ReadOnce, testing::Values(1, 4));

TEST_F(BenchLoadTest, everyone_reads_and_holds_as_often_as_there_are_ranks) {
    const std::int64_t expected = listed_bytes(store());
    for (const int ranks : {1, 2, 4}) {
        const json found = figures(ranks, {"--strategy=everyone"});

        EXPECT_EQ(found["bytes"]["used"], expected);
        EXPECT_EQ(found["bytes"]["read"], ranks * expected);
        EXPECT_EQ(sum_of(found["by_rank"], "bytes_read"), ranks * expected);
        // Small tensors lie in memory that the process had before.
        EXPECT_GE(found["memory"]["proportional_bytes"].get<double>(),
                  0.9 * static_cast<double>(ranks * expected));
    }
}

TEST_F(BenchLoadTest, ranks_of_a_node_hold_one_copy_unless_told_otherwise) {
    const json shared = figures(4, {});
    const json own = figures(4, {"--private"});

    EXPECT_EQ(shared["memory"]["weight_bytes"], 4 * shared["bytes"]["used"].get<std::int64_t>());
    // Besides the weights a few MiB a rank: HDF5, MPI, the index.
    EXPECT_LT(shared["memory"]["proportional_bytes"].get<std::int64_t>(),
              shared["bytes"]["used"].get<std::int64_t>() + 4 * 12 * mebibyte);
    EXPECT_GE(own["memory"]["proportional_per_used"].get<double>(), 3.95);
    EXPECT_THAT(own["bytes"]["read_per_used"].get<double>(), AllOf(Ge(1.0), Le(most_per_used)));
    EXPECT_TRUE(shared["settings"]["shared_host_copy"]);
    EXPECT_FALSE(own["settings"]["shared_host_copy"]);
}

TEST_F(BenchLoadTest, slices_and_shards_of_all_ranks_are_about_one_model) {
    const auto held = [](const json& found) {
        return found["memory"]["weight_bytes"].get<double>() / found["bytes"]["used"].get<double>();
    };

    // 10 MiB of the 32 are those of the VAE, which every rank holds.
    EXPECT_THAT(held(figures(2, {"--tensor-parallel=2"})), AllOf(Ge(1.0), Le(1.5)));
    EXPECT_THAT(held(figures(2, {"--weight-shards=2"})), AllOf(Ge(1.0), Le(1.5)));
    EXPECT_THAT(held(figures(2, {"--tensor-parallel=2", "--component=transformer"})),
                AllOf(Ge(1.0), Le(1.1)));
}

TEST_F(BenchLoadTest, nodes_exchange_what_others_have_read) {
    const json found = figures(2, {"--ranks-per-node=1"});
    const auto used = found["bytes"]["used"].get<std::int64_t>();

    // Each of two nodes receives the half that the other has read.
    EXPECT_NEAR(found["bytes"]["exchanged"].get<double>(),
                static_cast<double>(used),
                0.01 * static_cast<double>(used));
    EXPECT_EQ(figures(2, {})["bytes"]["exchanged"], 0);
}

TEST_F(BenchLoadTest, a_component_and_a_type_may_be_chosen) {
    const json as_stored = figures(1, {"--component=transformer"});
    const json wide = figures(1, {"--component=transformer", "--dtype=float32"});

    EXPECT_EQ(as_stored["settings"]["components"], json::array({"transformer"}));
    EXPECT_EQ(as_stored["memory"]["weight_bytes"], as_stored["bytes"]["used"]);
    EXPECT_EQ(wide["bytes"]["used"], as_stored["bytes"]["used"]);
    EXPECT_GT(wide["memory"]["weight_bytes"].get<double>(),
              1.8 * as_stored["memory"]["weight_bytes"].get<double>());
}

TEST_F(BenchLoadTest, repeats_loads_and_raw_reads) {
    const json found = figures(2, {"--repetitions=3", "--warm", "--verify=false"});

    ASSERT_EQ(found["by_rank"].size(), 2);
    for (const json& rank : found["by_rank"]) {
        EXPECT_EQ(rank["loads"].size(), 3);
        EXPECT_EQ(rank["raws"].size(), 3);
    }
    for (const char* what : {"load", "raw"}) {
        const json& seconds = found[what]["seconds"];
        EXPECT_GT(seconds["minimum"], 0.0);
        EXPECT_LE(seconds["minimum"], seconds["median"]);
        EXPECT_LE(seconds["median"], seconds["maximum"]);
    }
    EXPECT_EQ(found["settings"]["touched_bytes"], 0);
    EXPECT_FALSE(found["settings"]["cold_cache"]);
    EXPECT_FALSE(found["settings"]["verify"]);
}

TEST_F(BenchLoadTest, prints_a_table_for_people) {
    const Outcome outcome =
        run_program({"bench", "load", "--store=" + store(), "--quiet", "--repetitions=2"}, 2);

    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr("2 ranks on 1 node"),
                      HasSubstr("every byte read once"),
                      HasSubstr("touched and freed before each load"),
                      HasSubstr("x used"),
                      HasSubstr("GB/s"),
                      HasSubstr("sum of PSS")));
}

TEST_F(BenchLoadTest, a_synthetic_store_is_about_as_large_as_asked_and_made_once) {
    const ScratchFolder scratch;
    const std::string path = (scratch.path() / "m.h5").string();
    const Arguments make{
        "bench", "load", "--store=" + path, "--synthesize=64MiB", "--repetitions=1", "--quiet"};

    ASSERT_EQ(run_program(make).exit_code, 0);
    const auto written = fs::last_write_time(path);
    const Outcome again = run_program(make);
    const Outcome other =
        run_program({"bench", "load", "--store=" + path, "--synthesize=96MiB", "--repetitions=1"});

    EXPECT_THAT(listed_bytes(path), AllOf(Ge(64 * mebibyte), Le(68 * mebibyte)));
    EXPECT_EQ(again.exit_code, 0) << again.output;
    EXPECT_EQ(other.exit_code, 3);
    EXPECT_THAT(other.output, HasSubstr("m.h5: holds another model"));
    EXPECT_EQ(fs::last_write_time(path), written);
}

TEST_F(BenchLoadTest, help_lists_the_options) {
    const Outcome all = run_program({"bench", "--help"});
    const Outcome load = run_program({"bench", "load", "--help"}, 2);

    EXPECT_EQ(all.exit_code, 0);
    EXPECT_THAT(all.output, HasSubstr("load"));
    EXPECT_EQ(load.exit_code, 0);
    EXPECT_THAT(load.output, AllOf(HasSubstr("--synthesize"), HasSubstr("touches and frees")));
}

struct Refusal {
    Arguments arguments;
    int ranks;
    int exit_code;
    std::string message;
};

TEST_F(BenchLoadTest, refuses_bad_options_and_says_why) {
    const std::string from = "--store=" + store();
    const std::vector<Refusal> refusals{
        {{"bench"}, 1, 2, "expected one of: comm, load"},
        {{"bench", "lode"}, 1, 2, "'lode' is no benchmark"},
        {{"bench", "load", from, "--tensor-parallel=3"}, 2, 2, "--tensor-parallel is 3 with 2"},
        {{"bench", "load", from, "--component=nose"}, 1, 3, "no component 'nose'"},
        {{"bench", "load", "--store=none.h5"}, 1, 3, "none.h5"},
    };
    for (const Refusal& refusal : refusals) {
        const Outcome outcome = run_program(refusal.arguments, refusal.ranks);

        EXPECT_EQ(outcome.exit_code, refusal.exit_code) << refusal.message;
        EXPECT_THAT(outcome.output, HasSubstr(refusal.message));
    }
}

}  // namespace
}  // namespace reelyard::cli
