// Bridge and veth operations over rtnetlink, each on a task's own thread:
//   ensureBridge(name, "gateway/len", mtu) · attachLink(...) · plugLink(name, bridge) · deleteLink(name) ·
//   forgetFlows([protocol, port, address, …])
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "addon/errors.h"
#include "addon/exports.h"
#include "addon/task.h"
#include "lib/netlink/conntrack.h"
#include "lib/netlink/links.h"

namespace edgepod {

namespace {

Napi::Value ensure_bridge_js(const Napi::CallbackInfo& info) {
  auto name = string_argument(info, 0, "name");
  auto gateway = name ? string_argument(info, 1, "gateway") : std::nullopt;
  auto mtu = gateway ? number_argument(info, 2, "mtu") : std::nullopt;
  if (!mtu) return info.Env().Undefined();
  return start_function(
      info.Env(), [name = *name, gateway = *gateway, mtu = static_cast<uint32_t>(*mtu)]() -> Result<Ok> {
        auto address = parse_ipv4(gateway);
        if (!address) return address.error();
        auto node = NetlinkSocket::open();
        if (!node) return node.error();
        return ensure_bridge(*node, name, *address, mtu);
      });
}

struct AttachParams {
  std::string host_name, bridge, netns, address, gateway;
  uint32_t mtu = 0;
};

// Opens the namespace and makes sure it is not the node's own: a wrong pid must never get the node's eth0
// configured.
Result<UniqueFd> open_pod_namespace(const std::string& path) {
  UniqueFd target(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!target) return errno_error("netns-open", path);
  struct stat own, other;
  if (stat("/proc/thread-self/ns/net", &own) != 0)
    return errno_error("netns-open", "/proc/thread-self/ns/net");
  if (fstat(target.get(), &other) != 0) return errno_error("netns-open", path);
  if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
    return input_error("netns-open", path + ": is the node's own network namespace");
  return target;
}

Result<Ok> configure_in_namespace(int netns_fd, Ipv4Prefix address, uint32_t gateway) {
  // This thread belongs to one task and ends with it (task.h), so it never comes back to the node's
  // namespace.
  if (setns(netns_fd, CLONE_NEWNET) != 0) return errno_error("netns-enter");
  auto pod = NetlinkSocket::open();
  if (!pod) return pod.error();
  return configure_link(*pod, "eth0", address, gateway);
}

Result<Ok> attach(const AttachParams& params) {
  auto address = parse_ipv4(params.address);
  if (!address) return address.error();
  auto gateway = parse_ipv4(params.gateway);
  if (!gateway) return gateway.error();
  auto netns = open_pod_namespace(params.netns);
  if (!netns) return netns.error();
  auto node = NetlinkSocket::open();  // before setns: this one stays in the node's namespace
  if (!node) return node.error();

  VethParams veth;
  veth.host_name = params.host_name;
  veth.peer_name = "eth0";
  veth.bridge = params.bridge;
  veth.netns_fd = netns->get();
  veth.peer_address = address->address;
  veth.mtu = params.mtu;
  EDGEPOD_TRY(create_veth(*node, veth));
  auto configured = configure_in_namespace(netns->get(), *address, gateway->address);
  if (!configured) (void)delete_link(*node, params.host_name);
  return configured;
}

Napi::Value attach_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  AttachParams params;
  std::string* const fields[] = {&params.host_name, &params.bridge, &params.netns, &params.address,
                                 &params.gateway};
  const char* const names[] = {"hostName", "bridge", "netns", "address", "gateway"};
  for (size_t at = 0; at < 5; ++at) {
    auto text = string_argument(info, at, names[at]);
    if (!text) return env.Undefined();
    *fields[at] = std::move(*text);
  }
  auto mtu = number_argument(info, 5, "mtu");
  if (!mtu) return env.Undefined();
  params.mtu = static_cast<uint32_t>(*mtu);
  return start_function(env, [params]() { return attach(params); });
}

Napi::Value delete_link_js(const Napi::CallbackInfo& info) {
  auto name = string_argument(info, 0, "name");
  if (!name) return info.Env().Undefined();
  return start_function(info.Env(), [name = *name]() -> Result<Ok> {
    auto node = NetlinkSocket::open();
    if (!node) return node.error();
    return delete_link(*node, name);
  });
}

Napi::Value plug_link_js(const Napi::CallbackInfo& info) {
  auto name = string_argument(info, 0, "name");
  auto bridge = name ? string_argument(info, 1, "bridge") : std::nullopt;
  if (!bridge) return info.Env().Undefined();
  return start_function(info.Env(), [name = *name, bridge = *bridge]() -> Result<Ok> {
    auto node = NetlinkSocket::open();
    if (!node) return node.error();
    return plug_link(*node, name, bridge);
  });
}

// Numbers of the flows to forget, three for each: protocol, port, IPv4 address as a number; 0 matches all.
Napi::Value forget_flows_js(const Napi::CallbackInfo& info) {
  Napi::Env const env = info.Env();
  if (!info[0].IsArray()) {
    Napi::TypeError::New(env, "flows must be an array").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Array const numbers = info[0].As<Napi::Array>();
  std::vector<FlowMatch> wanted;
  for (uint32_t at = 0; at + 2 < numbers.Length(); at += 3) {
    auto number = [&](uint32_t offset) {
      return Napi::Value(numbers.Get(at + offset)).ToNumber().Uint32Value();
    };
    wanted.push_back({static_cast<uint8_t>(number(0)), static_cast<uint16_t>(number(1)), htonl(number(2))});
  }
  return start_function(env, [wanted]() { return forget_flows(wanted); });
}

}  // namespace

void export_network(Napi::Env env, Napi::Object exports) {
  exports.Set("ensureBridge", Napi::Function::New(env, ensure_bridge_js, "ensureBridge"));
  exports.Set("attachLink", Napi::Function::New(env, attach_js, "attachLink"));
  exports.Set("plugLink", Napi::Function::New(env, plug_link_js, "plugLink"));
  exports.Set("forgetFlows", Napi::Function::New(env, forget_flows_js, "forgetFlows"));
  exports.Set("deleteLink", Napi::Function::New(env, delete_link_js, "deleteLink"));
}

}  // namespace edgepod
