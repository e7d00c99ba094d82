#!/bin/sh
# Two hosts on this machine: two network namespaces with a link between them, and a process of a training in each.
# Needs root and iproute2.
#   bench/two-hosts.sh run                 a training of two processes
#   bench/two-hosts.sh cut                 the link goes down after the first checkpoint
#   NETEM='rate 1gbit delay 100us' bench/two-hosts.sh run    over a slower link
# TRAIN has other arguments for train than resnet8 on digits; --out is a folder of its own. CPUS='0 1' gives each a core.
set -eu
home=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
case ${1:-} in
  run | cut) what=$1 ;;
  *)
    sed -n '2,8s/^# //p' "$0" >&2
    exit 2
    ;;
esac
train=${TRAIN:-train resnet8 --data digits --width 4 --epochs 6 --workers 1 --peer-timeout 5}
folder=$(mktemp -d)
one=fathom-one-$$
two=fathom-two-$$
clean() {
  ip netns del $one 2>/dev/null || true
  ip netns del $two 2>/dev/null || true
}
trap clean EXIT

ip netns add $one
ip netns add $two
ip link add veth-one netns $one type veth peer name veth-two netns $two
ip -n $one addr add 10.77.0.1/24 dev veth-one
ip -n $two addr add 10.77.0.2/24 dev veth-two
for each in $one $two; do ip -n $each link set lo up; done
ip -n $one link set veth-one up
ip -n $two link set veth-two up
if [ -n "${NETEM:-}" ]; then
  # shellcheck disable=SC2086
  ip netns exec $one tc qdisc add dev veth-one root netem $NETEM
  # shellcheck disable=SC2086
  ip netns exec $two tc qdisc add dev veth-two root netem $NETEM
fi

rank() {
  # shellcheck disable=SC2086
  RANK=$1 WORLD_SIZE=2 MASTER_ADDR=10.77.0.1 MASTER_PORT=29500 exec ip netns exec "$2" \
    ${3:+taskset -c $3} "$home/fathom" $train --out "$folder/run"
}
set -- ${CPUS:-'' ''}
rank 0 $one "${1:-}" >"$folder/0" 2>&1 &
first=$!
rank 1 $two "${2:-}" >"$folder/1" 2>&1 &
second=$!
if [ $what = cut ]; then
  while [ ! -f "$folder/run/checkpoint.safetensors" ] && kill -0 $first 2>/dev/null; do sleep 0.05; done
  ip -n $one link set veth-one down
  echo "the link is down at $(date +%T)"
fi
codes=
for each in $first $second; do
  if wait $each; then codes="$codes 0"; else codes="$codes $?"; fi
done
echo "exit codes:$codes at $(date +%T)"
for each in 0 1; do
  echo "rank $each:"
  tr '\r' '\n' <"$folder/$each" | tail -n 6
done
rm -rf "$folder"
