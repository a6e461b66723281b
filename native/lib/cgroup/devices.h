// Device access rules: the defaults, and how they get into the kernel.
#pragma once

#include <linux/bpf.h>

#include <vector>

#include "lib/cgroup/limits.h"

namespace edgepod {

// The rules as enforced: those given, then the devices every container may use (reference section 1.6).
std::vector<DeviceRule> with_default_devices(const std::vector<DeviceRule>& rules);

// "c 1:3 rwm", "a *:* rwm": the line for devices.allow or devices.deny.
std::string device_rule_line(const DeviceRule& rule);

// v1: devices.deny and devices.allow.
Result<Ok> v1_set_devices(int root_fd, const std::string& path, const std::vector<DeviceRule>& rules);

// v2: a BPF_PROG_TYPE_CGROUP_DEVICE program. Returns 1 for allowed, 0 for EPERM.
std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);
// Loads and attaches the program to the cgroup, replacing the one attached before. A kernel without such
// programs gives a note.
Result<Ok> v2_set_devices(int root_fd, const std::string& path, const std::vector<DeviceRule>& rules,
                          CgroupNotes* notes);
// Whether this kernel loads device programs.
bool device_programs_available();

}  // namespace edgepod
