#!/bin/sh
# Prints what a container's process sees of itself, in sections that probe.ts reads. Only what every
# busybox has; few processes, since each costs in the virtual machine.
section() { echo "### $1"; }
section status; while IFS= read -r line; do echo "$line"; done </proc/$$/status
section pid; echo $$
section cwd; pwd
section umask; umask
section hostname; hostname
section cgroup; while IFS= read -r line; do echo "$line"; done </proc/$$/cgroup
section mounts; while IFS= read -r line; do echo "$line"; done </proc/$$/mountinfo
section limits; while IFS= read -r line; do echo "$line"; done </proc/$$/limits
section oom_score_adj; read -r line </proc/$$/oom_score_adj; echo "$line"
section links; for link in /sys/class/net/*; do [ ! -e "$link" ] || echo "${link##*/}"; done
section uts; uname -n; uname -m
section namespaces; ls -l /proc/$$/ns
section fds; ls -l /proc/$$/fd
section processes; for process in /proc/[0-9]*; do echo "${process#/proc/}"; done
section environment; tr '\0' '\n' </proc/$$/environ
section root; ls -a /
section dev; ls /dev
section end
