#include "probe/limits.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"

#include "probe/network_probe.hpp"

namespace reelyard::topology {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::Optional;

/// Files of the system as far as a test needs them.
class System : public testing::Test {
protected:
    System() : root_(fs::temp_directory_path() / ("reelyard_limits_" + std::to_string(getpid()))) {}
    ~System() override { fs::remove_all(root_); }
    System(const System&) = delete;
    System& operator=(const System&) = delete;
    System(System&&) = delete;
    System& operator=(System&&) = delete;

    void write(const std::string& path, const std::string& text) const {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << '\n';
    }
    [[nodiscard]] const fs::path& root() const { return root_; }

private:
    fs::path root_;
};

using MemoryLimit = System;
using Network = System;

Environment environment(const std::map<std::string, std::string>& variables) {
    return [variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST_F(MemoryLimit, is_the_least_of_all_groups_above_a_process) {
    write("proc/self/cgroup", "0::/slurm/job_7/step_0");
    write("sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max");
    write("sys/fs/cgroup/slurm/job_7/memory.max", "1073741824");
    write("sys/fs/cgroup/slurm/memory.max", "2147483648");

    EXPECT_THAT(control_group_memory(root()), Optional(gibibyte));
}

TEST_F(MemoryLimit, is_read_from_groups_of_version_1_too) {
    write("proc/self/cgroup", "5:cpuset:/slurm/job_7\n4:cpu,memory:/slurm/job_7");
    write("sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes", "3221225472");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");

    EXPECT_THAT(control_group_memory(root()), Optional(3 * gibibyte));
}

TEST_F(MemoryLimit, is_found_inside_a_container) {
    write("proc/self/cgroup", "0::/");
    write("sys/fs/cgroup/memory.max", "1073741824");

    EXPECT_THAT(control_group_memory(root()), Optional(gibibyte));
}

TEST_F(MemoryLimit, is_none_where_nothing_limits) {
    EXPECT_EQ(control_group_memory(root()), std::nullopt);
    write("proc/self/cgroup", "4:memory:/\n0::/user");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
    write("sys/fs/cgroup/user/memory.max", "max");
    EXPECT_EQ(control_group_memory(root()), std::nullopt);
}

TEST(SlurmMemory, is_what_the_job_got_on_the_node) {
    EXPECT_THAT(slurm_memory(environment({{"SLURM_MEM_PER_NODE", "2048"}})),
                Optional(2 * gibibyte));
    EXPECT_THAT(
        slurm_memory(environment({{"SLURM_MEM_PER_CPU", "512"}, {"SLURM_CPUS_ON_NODE", "6"}})),
        Optional(3 * gibibyte));
    EXPECT_EQ(slurm_memory(environment({{"SLURM_MEM_PER_NODE", "0"}})), std::nullopt);
    EXPECT_EQ(slurm_memory(environment({})), std::nullopt);
}

TEST(VisibleGpus, are_those_that_the_environment_names_in_its_order) {
    const std::vector<std::string> ids{"GPU-aa1", "GPU-ab2", "GPU-b3"};
    const auto visible = [&](const std::string& setting) {
        return visible_gpus(environment({{"CUDA_VISIBLE_DEVICES", setting}}), ids);
    };

    EXPECT_THAT(visible_gpus(environment({}), ids), ElementsAre(0, 1, 2));
    EXPECT_THAT(visible("2,0"), ElementsAre(2, 0));
    EXPECT_THAT(visible("GPU-ab,GPU-b3"), ElementsAre(1, 2));
    EXPECT_THAT(visible(""), ElementsAre());
    EXPECT_THAT(visible("1,-1,0"), ElementsAre(1));
    EXPECT_THAT(visible("1,7,0"), ElementsAre(1));
}

TEST_F(Network, adds_up_all_active_ports) {
    for (const std::string adapter : {"mlx5_0", "mlx5_1"}) {
        write("class/infiniband/" + adapter + "/ports/1/state", "4: ACTIVE");
        write("class/infiniband/" + adapter + "/ports/1/rate", "400 Gb/sec (4X NDR)");
    }
    write("class/infiniband/mlx5_2/ports/1/state", "1: DOWN");
    write("class/infiniband/mlx5_2/ports/1/rate", "400 Gb/sec (4X NDR)");

    EXPECT_DOUBLE_EQ(network_speed(root()), 100);
}

TEST_F(Network, is_the_fastest_ethernet_port_where_there_is_nothing_better) {
    for (const auto& [port, speed] : {std::pair{"eth0", "25000"}, {"eth1", "1000"}}) {
        write(std::string("class/net/") + port + "/speed", speed);
        write(std::string("class/net/") + port + "/operstate", "up");
        write(std::string("class/net/") + port + "/device/vendor", "0x15b3");
    }
    write("class/net/virtual0/speed", "400000");
    write("class/net/virtual0/operstate", "up");

    EXPECT_DOUBLE_EQ(network_speed(root()), 3.125);
}

TEST_F(Network, is_unknown_where_no_port_tells) {
    write("class/net/eth0/speed", "-1");
    write("class/net/eth0/operstate", "up");
    write("class/net/eth0/device/vendor", "0x1af4");

    EXPECT_EQ(network_speed(root()), 0);
    EXPECT_EQ(network_speed(root() / "nothing"), 0);
}

}  // namespace
}  // namespace reelyard::topology
