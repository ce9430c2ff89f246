#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>

#include "support/program.hpp"

// `reelyard topology` as a user sees it.
namespace reelyard::cli {
namespace {

using parity::Outcome;
using parity::run_program;
using testing::HasSubstr;
using testing::StartsWith;

const std::string source = REELYARD_SOURCE;

TEST(Topology, shows_the_ranks_of_a_job_on_this_machine) {
    const Outcome shown = run_program({"topology"}, 3);

    EXPECT_EQ(shown.exit_code, 0) << shown.output;
    EXPECT_THAT(shown.output, StartsWith("1 node, "));
    EXPECT_THAT(shown.output, HasSubstr(", 3 ranks"));
    EXPECT_THAT(shown.output, HasSubstr("<- rank"));
}

TEST(Topology, shows_a_file_as_the_documents_do) {
    std::ifstream file(source + "/docs/user/topology.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};

    const Outcome shown =
        run_program({"topology", "--topology", source + "/topologies/a100x4_pcie.json"});

    EXPECT_EQ(shown.exit_code, 0) << shown.output;
    EXPECT_THAT(page, HasSubstr("```\n" + shown.output + "```\n"));
}

TEST(Topology, reads_what_it_printed) {
    const parity::ScratchFolder scratch;
    const auto path = scratch.path() / "cluster.json";

    const Outcome cluster = run_program({"topology",
                                         "--topology",
                                         source + "/topologies/h100x8_nvlink.json",
                                         "--nodes",
                                         "8",
                                         "--json"});
    std::ofstream(path) << cluster.output;
    const Outcome again = run_program({"topology", "--topology", path.string()});

    EXPECT_THAT(again.output, StartsWith("8 nodes, 896 cores, 64 GPUs; network into a node: 400"));
    EXPECT_THAT(again.output, HasSubstr("h100x8-1 to h100x8-8"));
}

TEST(Topology, refuses_what_it_cannot_read) {
    const parity::ScratchFolder scratch;
    const auto path = scratch.path() / "wrong.json";
    std::ofstream(path) << R"({"nodes": [{"name": "n", "memory": 3}]})";

    const Outcome wrong = run_program({"topology", "--topology", path.string()}, 2);
    const Outcome missing = run_program({"topology", "--topology", "no_such.json"});
    const Outcome none = run_program({"topology", "--nodes", "0"});

    EXPECT_EQ(wrong.exit_code, 3);
    EXPECT_THAT(wrong.output, HasSubstr("nodes[0]: unknown key 'memory'"));
    EXPECT_EQ(missing.exit_code, 3);
    EXPECT_THAT(missing.output, HasSubstr("no_such.json: cannot be read"));
    EXPECT_EQ(none.exit_code, 2);
}

}  // namespace
}  // namespace reelyard::cli
