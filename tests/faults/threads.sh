#!/usr/bin/env bash
# threads.sh PROGRAM FAULTS_SO - threads that the system does not give: fewer compute, to the same bytes, and none is made in the middle.
. "$(dirname "$0")/../app/cli/tap.sh"
shim=$(realpath "$2")
in_folder_of_its_own
cp "$shim" faults.so # the loader takes a space in LD_PRELOAD for the end of a name
small=(generate --prompt "a red circle" --seed 7 --steps 2 --width 32 --height 32 --quiet --device cpu)
# refused WHAT THREADS FROM: of four threads, all from the FROM-th on are not given; the picture is that of THREADS.
refused() {
  LD_PRELOAD=$folder/faults.so FAULT_CALL=thread FAULT_N=$3 FAULT_FOREVER=1 FAULT_LOG=$folder/log \
    "$program" "${small[@]}" --threads 4 --output now.png >/dev/null 2>err
  ok "$isa, $1" "$? $(cmp now.png "$isa-$2.png" 2>&1)$(cat err) $(test -e log && echo refused)" "0  refused"
  rm -f now.png log
}
for isa in v4 v3+onednn; do
  export SAFELIGHT_ISA=$isa
  for threads in 1 2 4; do "$program" "${small[@]}" --threads $threads --output $isa-$threads.png >/dev/null || exit 1; done
  refused "no thread is given" 1 1
  refused "one is given" 2 2
  refused "none is given once the device is open" 4 4
done
unset SAFELIGHT_ISA
ok "the device says so" "$(LD_PRELOAD=$folder/faults.so FAULT_CALL=thread FAULT_N=2 FAULT_FOREVER=1 "$program" bench --device cpu --threads 4 --steps 1 --json --quiet |
  sed -n 's/.*"device":[^"]*"\(CPU: [^,]*\),.*/\1/p')" "CPU: 2 threads (instead of 4: the system gives no more)"

# A limit on tasks, in a control group of either version, where this user may make one.
if group_with pids pids.max pids.max 3; then
  bash -c "echo \$\$ >$group/cgroup.procs; exec \"\$@\"" limited "$program" "${small[@]}" --threads 8 --output now.png >/dev/null 2>err
  ok "a control group with three tasks" "$? $(cmp now.png v4-1.png 2>&1)$(cat err)" "0 "
else
  echo "# no control group can be made here"
fi
finish
