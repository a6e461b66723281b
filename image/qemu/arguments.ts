/** From the shape of a board to QEMU's command line. Pure. */
import { kernelArguments } from '../command-line.ts';

export interface MachineShape {
  /** `512M`, `1G`. */
  memory?: string;
  cpus?: number;
  cpu?: string;
  /** Debian's kernel package of its image; default: that of virtual machines. */
  kernel?: string;
  /** Comes back after a reboot; else that switches it off. */
  reboots?: boolean;
  /** Added to the kernel command line. */
  append?: string;
  readOnlyRoot?: boolean;
  /** What the board's clock says at power-on, `1970-01-01`. */
  rtc?: string;
  /** Path of UEFI firmware: boots as a real board does, by the boot loader on the disk. */
  firmware?: string;
}

interface Parts {
  disk: { path: string; kernel: string; initrd: string };
  ports: ReadonlyMap<number, number>;
  extraDisks: readonly string[];
}

/** UEFI for emulated boards, from Debian's qemu-efi-aarch64. */
export const FIRMWARE = '/usr/share/qemu-efi-aarch64/QEMU_EFI.fd';

/** Where the guest reaches the host's loopback (QEMU's user-mode network). */
export const HOST_FROM_GUEST = '10.0.2.2';

export function guestArguments(shape: MachineShape, { disk, ports, extraDisks }: Parts): string[] {
  const { memory = '1G', cpus = 2, cpu = 'cortex-a72', reboots = false, rtc, firmware } = shape;
  const forwards = [...ports].map(([guest, host]) => `,hostfwd=tcp:127.0.0.1:${host}-:${guest}`).join('');
  return [
    // The interrupt controller of newer processors, without which some of them do not start.
    ...['-M', 'virt,gic-version=3', '-cpu', cpu, '-accel', 'tcg,thread=multi', '-smp', String(cpus), '-m', memory],
    // Console and QEMU's monitor on one terminal: Ctrl-A C changes over, Ctrl-A X switches the machine off.
    ...[
      '-nographic',
      ...(reboots ? [] : ['-no-reboot']),
      '-nodefaults',
      '-chardev',
      'stdio,id=console,mux=on,signal=off',
      '-serial',
      'chardev:console',
      '-mon',
      'chardev=console',
    ],
    ...(firmware === undefined ? directBoot(shape, disk) : ['-bios', firmware]),
    ...[disk.path, ...extraDisks].flatMap((path, index) => [
      '-drive',
      `if=none,id=disk${index},file=${path.replaceAll(',', ',,')},format=raw,discard=unmap`,
      '-device',
      `virtio-blk-pci,drive=disk${index}`,
    ]),
    ...['-netdev', `user,id=lan${forwards}`, '-device', 'virtio-net-pci,netdev=lan,romfile='],
    ...['-device', 'virtio-rng-pci'],
    ...(rtc === undefined ? [] : ['-rtc', `base=${rtc}`]),
  ];
}

function directBoot({ append = '', readOnlyRoot = false }: MachineShape, disk: Parts['disk']): string[] {
  const line = `${kernelArguments(readOnlyRoot)} console=ttyAMA0 ${append}`.trim();
  return ['-kernel', disk.kernel, '-initrd', disk.initrd, '-append', line];
}
