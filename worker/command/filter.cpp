#include "worker/command/filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace eole::command {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the filter of a box does not know this architecture"
#endif

constexpr std::uint32_t kOtherTable = 0x40000000;  // x32: the same calls by other numbers.
constexpr std::uint32_t kNewNamespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                         CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

constexpr std::uint32_t kFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};  // Of sockets.

constexpr std::uint32_t kDenied[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_setns,
    SYS_unshare,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_lookup_dcookie,
    SYS_move_pages,
    SYS_vhangup,
#if defined(__x86_64__)
    SYS_kexec_file_load,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
#endif
};

class Program {
 public:
  void load(std::size_t at) {
    rules_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at)));
  }
  void load_argument(std::size_t which) {  // Its low half: both machines have that first.
    load(offsetof(seccomp_data, args) + which * sizeof(std::uint64_t));
  }
  void if_equal_skip(std::uint32_t value, std::uint8_t rules) {
    rules_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, rules, 0));
  }
  void unless_equal_skip(std::uint32_t value, std::uint8_t rules) {
    rules_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, rules));
  }
  void unless_any_bit_skip(std::uint32_t bits, std::uint8_t rules) {
    rules_.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, rules));
  }
  void answer(std::uint32_t what) { rules_.push_back(BPF_STMT(BPF_RET | BPF_K, what)); }
  void refuse(int error) { answer(SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)); }
  const std::vector<sock_filter>& rules() const { return rules_; }

 private:
  std::vector<sock_filter> rules_;
};

Program program() {
  Program filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.if_equal_skip(kArchitecture, 1);
  filter.refuse(ENOSYS);
  filter.load(offsetof(seccomp_data, nr));
  filter.unless_any_bit_skip(kOtherTable, 1);
  filter.refuse(ENOSYS);
  for (const auto call : kDenied) {
    filter.unless_equal_skip(call, 1);
    filter.refuse(EPERM);
  }
  // Its flags are in memory, where no filter looks; the C library goes back to clone.
  filter.unless_equal_skip(SYS_clone3, 1);
  filter.refuse(ENOSYS);
  filter.unless_equal_skip(SYS_clone, 4);
  filter.load_argument(0);
  filter.unless_any_bit_skip(kNewNamespaces, 1);
  filter.refuse(EPERM);
  filter.answer(SECCOMP_RET_ALLOW);
  filter.unless_equal_skip(SYS_ioctl, 6);
  filter.load_argument(1);
  for (const std::uint32_t request : {TIOCSTI, TIOCLINUX}) {  // Typing on somebody's terminal.
    filter.unless_equal_skip(request, 1);
    filter.refuse(EPERM);
  }
  filter.answer(SECCOMP_RET_ALLOW);
  // Not each family keeps to a network namespace: AF_VSOCK speaks to this machine's host from any.
  filter.unless_equal_skip(SYS_socket, static_cast<std::uint8_t>(1 + 2 * std::size(kFamilies) + 1));
  filter.load_argument(0);
  for (const std::uint32_t family : kFamilies) {
    filter.unless_equal_skip(family, 1);
    filter.answer(SECCOMP_RET_ALLOW);
  }
  filter.refuse(EAFNOSUPPORT);
  filter.answer(SECCOMP_RET_ALLOW);
  return filter;
}

}  // namespace

std::vector<sock_filter> box_filter() { return program().rules(); }

}  // namespace eole::command
