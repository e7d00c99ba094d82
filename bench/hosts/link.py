"""Carries packets between TUN devices in network namespaces, at a rate and with a delay.

usage: link.py RATE DELAY NAMESPACE=ADDRESS...

Makes a device called eth in each namespace, says "ready", and runs until it is killed. Each host
sends at most RATE bytes a second (0: as fast as it goes), headers included, and every packet
arrives DELAY seconds after it was sent. Nothing is lost; what waits, waits here. Packets are of 1500
bytes for TCP, but the kernel hands over up to 64 KB of them at once, as it does to a network card.
"""

import collections
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import time

TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD = 0x400454CA, 0x400454D8, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
CHECKSUMS_AND_TSO4 = 0x01 | 0x02
VNET = struct.Struct("<BBHHHH")
ETHERNET = 38  # header, checksum, preamble and gap of a frame
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def device(namespace):
    """A TUN device in a namespace; its file works from any."""
    with open("/proc/self/ns/net") as here, open(f"/var/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"eth", IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
        fcntl.ioctl(tun, TUNSETVNETHDRSZ, struct.pack("i", VNET.size))
        fcntl.ioctl(tun, TUNSETOFFLOAD, CHECKSUMS_AND_TSO4)
        libc.setns(here.fileno(), CLONE_NEWNET)
    return tun


def on_the_wire(packet):
    """The bytes of a packet with the headers of all frames in which it goes."""
    gso, segment = packet[1], struct.unpack_from("<H", packet, 4)[0]
    length = len(packet) - VNET.size
    frames = 1
    if gso and segment:
        frames = max(1, -(-(length - 52) // segment))
    return length + (frames - 1) * 52 + frames * ETHERNET


def main():
    rate, delay = float(sys.argv[1]), float(sys.argv[2])
    devices = {}
    for each in sys.argv[3:]:
        namespace, address = each.split("=")
        devices[socket.inet_aton(address)] = device(namespace)
    print("ready", flush=True)
    poller = select.epoll()
    for tun in devices.values():
        poller.register(tun, select.EPOLLIN)
    free = dict.fromkeys(devices.values(), 0.0)  # when a host has sent what it was given
    under_way = {tun: collections.deque() for tun in devices.values()}
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))  # a link does not wait for a core
    while True:
        now = time.monotonic()
        soonest = None
        for packets in under_way.values():
            while packets and packets[0][0] <= now:
                _, to, packet = packets.popleft()
                try:
                    os.write(to, packet)
                except OSError:
                    pass  # the device is down
            if packets and (soonest is None or packets[0][0] < soonest):
                soonest = packets[0][0]
        # Whoever looks all the time takes a core from the hosts. An epoll wakes up after whole
        # milliseconds, a select after some tens of microseconds, by which a packet is late.
        select.select([poller], [], [], None if soonest is None else max(0.0, soonest - now))
        for tun, _ in poller.poll(0):
            for _ in range(16):
                try:
                    packet = os.read(tun, 70000)
                except OSError:
                    break
                to = devices.get(packet[VNET.size + 16:VNET.size + 20])
                if to is None:
                    continue
                now = time.monotonic()
                begin = max(now, free[tun])
                free[tun] = begin + (on_the_wire(packet) / rate if rate else 0.0)
                under_way[tun].append((free[tun] + delay, to, packet))


if __name__ == "__main__":
    main()
