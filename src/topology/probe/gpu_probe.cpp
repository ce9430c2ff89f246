#include "gpu_probe.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <dlfcn.h>

namespace reelyard::topology {
namespace {

// What is used of nvml.h, so that neither the header nor the library is needed to build.
namespace nvml {

using Device = struct DeviceHandle*;
constexpr int success = 0;
constexpr unsigned feature_enabled = 1;
constexpr unsigned p2p_over_nvlink = 2;
constexpr unsigned remote_is_switch = 2;
constexpr unsigned most_links = 18;

struct Memory {
    unsigned long long total = 0;
    unsigned long long free = 0;
    unsigned long long used = 0;
};

}  // namespace nvml

/// The library while it is in use.
class Library {
public:
    explicit Library(const std::string& name)
        : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), close)
        , ready_(handle_ != nullptr && call("nvmlInit_v2")) {}
    ~Library() {
        if (ready_) {
            call("nvmlShutdown");
        }
    }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
    Library(Library&&) = delete;
    Library& operator=(Library&&) = delete;

    [[nodiscard]] bool is_ready() const { return ready_; }

    /// Whether the function is there and succeeds.
    template <typename... Args>
    bool call(const char* name, Args... arguments) const {
        void* symbol = dlsym(handle_.get(), name);
        using Function = int (*)(Args...);
        return symbol != nullptr &&
               reinterpret_cast<Function>(symbol)(arguments...) == nvml::success;
    }

private:
    static void close(void* handle) { dlclose(handle); }

    std::unique_ptr<void, void (*)(void*)> handle_;
    bool ready_;
};

std::string text_of(const Library& library, const char* function, nvml::Device device) {
    std::array<char, 97> text{};
    const auto size = static_cast<unsigned>(text.size() - 1);
    return library.call(function, device, text.data(), size) ? text.data() : "";
}

unsigned number_of(const Library& library, const char* function, nvml::Device device) {
    unsigned value = 0;
    return library.call(function, device, &value) ? value : 0;
}

/// PCI Express, each lane after its coding (PCI Express Base Specification 6.0).
double pcie_speed(unsigned generation, unsigned lanes) {
    constexpr std::array gb_per_s_of_lane{0.0, 0.25, 0.5, 0.985, 1.969, 3.938, 7.563};
    return generation < gb_per_s_of_lane.size() ? gb_per_s_of_lane.at(generation) * lanes : 0;
}

/// Of one link; NVIDIA's descriptions of P100, V100, A100, H100 and B200.
double nvlink_speed(unsigned version) {
    constexpr std::array gb_per_s{0.0, 20.0, 25.0, 25.0, 25.0, 50.0};
    return gb_per_s.at(std::min<std::size_t>(version, gb_per_s.size() - 1));
}

std::vector<bool> threads_near(const Library& library, nvml::Device device) {
    constexpr std::size_t bits = 8 * sizeof(unsigned long);
    std::array<unsigned long, 64> words{};
    std::vector<bool> near;
    if (library.call("nvmlDeviceGetCpuAffinity",
                     device,
                     static_cast<unsigned>(words.size()),
                     words.data())) {
        for (std::size_t thread = 0; thread < words.size() * bits; ++thread) {
            near.push_back((words.at(thread / bits) >> (thread % bits) & 1UL) != 0);
        }
    }
    return near;
}

void add_nvlinks(const Library& library, nvml::Device device, FoundGpu& gpu) {
    for (unsigned link = 0; link < nvml::most_links; ++link) {
        unsigned state = 0;
        unsigned version = 0;
        if (!library.call("nvmlDeviceGetNvLinkState", device, link, &state) ||
            state != nvml::feature_enabled ||
            !library.call("nvmlDeviceGetNvLinkVersion", device, link, &version)) {
            continue;
        }
        gpu.nvlink_gb_per_s += nvlink_speed(version);
        unsigned remote = 0;
        if (library.call("nvmlDeviceGetNvLinkRemoteDeviceType", device, link, &remote)) {
            gpu.has_switch = gpu.has_switch || remote == nvml::remote_is_switch;
        }
    }
}

FoundGpu describe(const Library& library, nvml::Device device) {
    FoundGpu gpu;
    gpu.id = text_of(library, "nvmlDeviceGetUUID", device);
    gpu.model = text_of(library, "nvmlDeviceGetName", device);
    nvml::Memory memory;
    if (library.call("nvmlDeviceGetMemoryInfo", device, &memory)) {
        gpu.memory_bytes = static_cast<std::int64_t>(memory.total);
    }
    gpu.near_threads = threads_near(library, device);
    gpu.pcie_gb_per_s = pcie_speed(number_of(library, "nvmlDeviceGetMaxPcieLinkGeneration", device),
                                   number_of(library, "nvmlDeviceGetMaxPcieLinkWidth", device));
    add_nvlinks(library, device, gpu);
    return gpu;
}

bool nvlink_leads(const Library& library, nvml::Device from, nvml::Device to) {
    int status = -1;
    return from != to &&
           library.call("nvmlDeviceGetP2PStatus", from, to, nvml::p2p_over_nvlink, &status) &&
           status == 0;
}

/// The domain with most cores near the GPU.
int domain_near(const Node& node, const FoundGpu& gpu) {
    const auto near_cores = [&](const NumaDomain& domain) {
        return std::count_if(domain.cores.begin(), domain.cores.end(), [&](int core) {
            const auto number = static_cast<std::size_t>(core);
            return number < gpu.near_threads.size() && gpu.near_threads[number];
        });
    };
    const auto best = std::max_element(
        node.numa.begin(), node.numa.end(), [&](const NumaDomain& a, const NumaDomain& b) {
            return near_cores(a) < near_cores(b);
        });
    return static_cast<int>(best - node.numa.begin());
}

/// The lowest GPU that NVLink leads to from each one, over others or not.
std::vector<int> joined_by_nvlink(const std::vector<FoundGpu>& gpus) {
    std::vector<int> island(gpus.size());
    for (std::size_t index = 0; index < gpus.size(); ++index) {
        island[index] = static_cast<int>(index);
    }
    for (std::size_t from = 0; from < gpus.size(); ++from) {
        for (std::size_t to = 0; to < gpus[from].reaches.size(); ++to) {
            if (gpus[from].reaches[to]) {
                const auto [low, high] = std::minmax(island[from], island[to]);
                std::replace(island.begin(), island.end(), int{high}, int{low});
            }
        }
    }
    return island;
}

/// For one pair that has it to itself: through a switch all links lead to the other.
Link slowest_nvlink(const std::vector<FoundGpu>& gpus) {
    Link link{.kind = LinkKind::nvlink, .gb_per_s = 0};
    for (const FoundGpu& gpu : gpus) {
        const auto partners = std::count(gpu.reaches.begin(), gpu.reaches.end(), true);
        if (partners == 0) {
            continue;
        }
        const double speed =
            gpu.nvlink_gb_per_s / (gpu.has_switch ? 1.0 : static_cast<double>(partners));
        link.gb_per_s = link.gb_per_s == 0 ? speed : std::min(link.gb_per_s, speed);
    }
    return link;
}

Link slowest_pcie(const std::vector<FoundGpu>& gpus) {
    const auto slowest =
        std::min_element(gpus.begin(), gpus.end(), [](const FoundGpu& a, const FoundGpu& b) {
            return a.pcie_gb_per_s < b.pcie_gb_per_s;
        });
    return {.kind = LinkKind::pcie, .gb_per_s = slowest->pcie_gb_per_s};
}

}  // namespace

std::vector<FoundGpu> find_gpus(const std::string& name) {
    const Library library(name);
    unsigned count = 0;
    if (!library.is_ready() || !library.call("nvmlDeviceGetCount_v2", &count)) {
        return {};
    }
    std::vector<nvml::Device> devices;
    std::vector<FoundGpu> gpus;
    for (unsigned index = 0; index < count; ++index) {
        nvml::Device device = nullptr;
        if (library.call("nvmlDeviceGetHandleByIndex_v2", index, &device)) {
            devices.push_back(device);
            gpus.push_back(describe(library, device));
        }
    }
    for (std::size_t from = 0; from < devices.size(); ++from) {
        for (nvml::Device to : devices) {
            gpus[from].reaches.push_back(nvlink_leads(library, devices[from], to));
        }
    }
    return gpus;
}

void add_gpus(Node& node, const std::vector<FoundGpu>& gpus) {
    if (gpus.empty()) {
        return;
    }
    const bool has_nvlink = std::any_of(gpus.begin(), gpus.end(), [](const FoundGpu& gpu) {
        return std::count(gpu.reaches.begin(), gpu.reaches.end(), true) > 0;
    });
    const auto islands = joined_by_nvlink(gpus);
    for (std::size_t index = 0; index < gpus.size(); ++index) {
        const int numa = domain_near(node, gpus[index]);
        node.gpus.push_back({.model = gpus[index].model,
                             .memory_bytes = gpus[index].memory_bytes,
                             .numa = numa,
                             .island = has_nvlink ? islands[index] : numa});
    }
    node.gpu_link = slowest_pcie(gpus);
    node.island_link = has_nvlink ? slowest_nvlink(gpus) : node.gpu_link;
}

}  // namespace reelyard::topology
