#!/bin/sh
# barriers.sh TEST SOURCES - leaves out every __syncthreads of the kernels in turn: TEST (the build that checks every
# access) must fail each time. TAP.
test=$(realpath "$1")
cd "$2" || exit 1
ulimit -c 0
n=0
failed=0
if ! CUDAEMU_SKIP_BARRIER=none.cu:1 CUDAEMU_FATAL=1 "$test" norms > /dev/null; then
  echo "Bail out! the test fails with all barriers"
  exit 1
fi
for place in $(grep -no '^ *__syncthreads();' *.cu *.cuh *.h | sed 's/^\([^:]*:[0-9]*\):.*/\1/'); do
  case $place in
    attention*) part=attention ;;
    conv*) part=conv ;;
    *) part=norms ;;
  esac
  n=$((n + 1))
  if CUDAEMU_SKIP_BARRIER=$place CUDAEMU_FATAL=1 timeout 60 "$test" $part > /dev/null 2>&1; then
    echo "not ok $n - nobody misses the barrier of $place"
    failed=1
  else
    echo "ok $n - without the barrier of $place"
  fi
done
if [ $n -lt 10 ]; then
  echo "Bail out! only $n barriers found"
  failed=1
fi
echo "1..$n"
exit $failed
