#!/usr/bin/env bash
# limits.sh PROGRAM - the same bytes under every limit on threads, and one sentence instead of a crash where memory or stack is short.
. "$(dirname "$0")/tap.sh"
in_folder_of_its_own
small=(generate --prompt "a red circle" --seed 7 --steps 2 --width 32 --height 32 --quiet --device cpu)
# same WHAT THREADS WORD...: the program under them makes the picture of so many threads. Our own code makes the same with any number;
# what oneDNN has for processors without AVX-512 does not.
same() {
  local what=$1 reference=$isa-$2.png
  [ -e "$reference" ] || "$program" "${small[@]}" --threads "$2" --output "$reference" >/dev/null || exit 1
  shift 2
  "$@" "$program" "${small[@]}" --output now.png >/dev/null 2>err
  ok "$what" "$? $(cmp now.png "$reference" 2>&1)" "0 "
  rm -f now.png
}

for isa in v4 v3+onednn; do
  export SAFELIGHT_ISA=$isa
  same "$isa, OMP_THREAD_LIMIT=1" 1 env OMP_THREAD_LIMIT=1 OMP_NUM_THREADS=4
  same "$isa, OMP_THREAD_LIMIT=3" 3 env OMP_THREAD_LIMIT=3 OMP_NUM_THREADS=4
  same "$isa, OMP_DYNAMIC" 4 env OMP_DYNAMIC=true OMP_NUM_THREADS=4
  same "$isa, OMP_MAX_ACTIVE_LEVELS=0" 4 env OMP_MAX_ACTIVE_LEVELS=0 OMP_NUM_THREADS=4
  same "$isa, OMP_MAX_ACTIVE_LEVELS=3" 4 env OMP_MAX_ACTIVE_LEVELS=3 OMP_NUM_THREADS=4
  same "$isa, one core" 1 taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[,-].*//')"
  same "$isa, a stack of 256 KiB" "$(nproc)" bash -c 'ulimit -s 256; exec "$@"' limited
done
for threads in 1 3; do ok "v4, $threads threads" "$(cmp v4-$threads.png v4-4.png 2>&1)" ""; done

# A quota of processor time, in a control group of either version, where this user may make one.
if group_with cpu cpu.max cpu.cfs_quota_us 10000; then
  same "a tenth of a core" "$(nproc)" bash -c "echo \$\$ >$group/cgroup.procs; exec \"\$@\"" limited
  ok "and was held back by it" "$(awk '/^nr_throttled/ { print ($2 > 0) }' "$group/cpu.stat")" 1
else
  echo "# no control group can be made here"
fi

# An emulator of the program's processor (qemu-user) needs memory of its own, and dies first.
processor_of() { od -An -tx2 -j18 -N2 "$1"; }
if [ "$(processor_of "$program")" != "$(processor_of /proc/self/exe)" ]; then
  echo "# the program is emulated: no limits of its memory are tried"
  finish
fi

# told WHAT LIMIT WORD...: it works, or says why in one line; never a signal.
told() {
  local what=$1 limit=$2 code
  shift 2
  (ulimit -v "$limit"; exec "$program" "$@") >/dev/null 2>err
  code=$?
  if [ $code = 0 ]; then ok "$what" 0 0; return; fi
  ok "$what: $(head -c 150 err)" "$([ $code -lt 126 ] || echo "$code, ")$(wc -l <err) line" "1 line"
}
# The loader needs some 60 to 120 MiB for the libraries alone, and says so itself where it has less.
libraries=60
until (ulimit -v $((libraries * 1024)); exec "$program" --version) >/dev/null 2>&1 || [ $libraries -ge 400 ]; do libraries=$((libraries + 5)); done
echo "# the libraries need $libraries MiB"
for isa in v4 v3+onednn; do
  for more in 5 35 60 85 100 115 145 320; do
    mib=$((libraries + more))
    SAFELIGHT_ISA=$isa told "$isa, $mib MiB" $((mib * 1024)) "${small[@]}" --threads 2 --output low.png
  done
done
unset SAFELIGHT_ISA

# Animations: libwebp's encoder keeps all it has until the file is written.
for more in 5 25 45 65; do told "an animation, $((libraries + more)) MiB" $(((libraries + more) * 1024)) "${small[@]}" --threads 1 --output low.png --animation low.webp; done

for more in 15 45; do told "a GIF, $((libraries + more)) MiB" $(((libraries + more) * 1024)) "${small[@]}" --threads 1 --output low.png --animation low.gif; done
# A library that is there and damaged: what the loader says of it.
library=$(LC_ALL=C grep -aom1 'libavcodec\.so\.[0-9]*' "$program")
if [ -n "$library" ]; then
  mkdir damaged
  echo >"damaged/$library"
  LD_LIBRARY_PATH=$PWD/damaged "$program" "${small[@]}" --output gif.png --animation a.gif >/dev/null 2>err
  ok "a damaged $library" "$? $(sed 's/cannot be opened: .*so/cannot be opened: X.so/' err)" \
    "2 safelight: --animation a.gif: no GIF: libavformat, libavcodec and libavfilter of the versions that Safelight was built with cannot be opened: X.${library#*.}: file too short"
fi

# What cannot fit is refused before any work.
(ulimit -v 6000000; exec "$program" "${small[@]}" --width 16384 --height 16384 --output huge.png) >/dev/null 2>err
ok "16384 x 16384 in 6 GB" "$? $(sed 's/needs [0-9.]* GiB of memory at least, and this process may use [0-9.]* GiB/needs X, has Y/' err)" \
  "1 safelight: a picture of 16384 x 16384 needs X, has Y; a smaller picture needs less"

# So are the steps of a comparison, which are kept until its end: 20 MiB of each of nine lanes.
(ulimit -v $(((libraries + 160) * 1024)); exec "$program" compare --model starter-ddpm --schedulers ddpm,ddim,euler,euler-a,lms,pndm,dpmpp-2m,unipc,deis --steps 1000 --threads 1 \
  --device cpu --quiet --sheet s.png) >/dev/null 2>err
ok "nine lanes of 1000 steps" "$? $(sed 's/needs [0-9.]* MiB/needs X/; s/may use [0-9.]* MiB/may use Y/' err)" \
  "1 safelight: a picture of 32 x 32 needs X of memory at least with the steps that are kept, and this process may use Y; a smaller picture needs less"
finish
