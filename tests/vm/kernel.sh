# Fetches a Debian kernel, without installing it, and makes the initramfs it boots from.
#
# $VM_HOME/kernels/NAME/{vmlinux or vmlinuz, version, config, lib/modules/VERSION, initramfs-SUM.cpio}

# Sets KERNEL_DIR, KERNEL_VERSION, KERNEL_IMAGE, INITRAMFS from $KERNEL.
prepare_kernel() {
  local name source
  case $KERNEL in
    cloud) name=cloud source=linux-image-cloud-amd64 ;; # 26 MB
    full) name=full source=linux-image-amd64 ;;         # 71 MB
    */*) source=$(realpath -e "$KERNEL") || die "cannot find the kernel \"$KERNEL\""; name=$(basename "$source" .deb) ;;
    *) name=$KERNEL source=$KERNEL ;;
  esac
  KERNEL_DIR=$VM_HOME/kernels/$name
  mkdir -p "$VM_HOME/kernels"
  exec 9>"$VM_HOME/kernels/.lock"; flock 9 # several machines may start at once
  [ -e "$KERNEL_DIR/version" ] || unpack_kernel "$source"
  KERNEL_VERSION=$(cat "$KERNEL_DIR/version")
  KERNEL_IMAGE=$KERNEL_DIR/vmlinux; [ -e "$KERNEL_IMAGE" ] || KERNEL_IMAGE=$KERNEL_DIR/vmlinuz
  # The name carries a checksum of what goes in, so an edited file makes a new one.
  INITRAMFS=$KERNEL_DIR/initramfs-$(cat "$HERE/init" "$HERE/kernel.sh" | cksum | cut -d' ' -f1).cpio
  [ -e "$INITRAMFS" ] || make_initramfs "$INITRAMFS"
  exec 9>&-
}

unpack_kernel() { # PACKAGE | FILE.deb | DIRECTORY
  local new version
  rm -rf "$VM_HOME"/kernels/.new.* # of a run that was killed
  new=$(mktemp -d "$VM_HOME/kernels/.new.XXXXXX") && chmod 755 "$new" || die "cannot make a directory below \"$VM_HOME\""
  mkdir "$new/x"
  if [ -d "$1" ]; then cp -a "$1/." "$new/x/"
  else dpkg-deb -x "$(kernel_package "$1" "$new")" "$new/x" || die "cannot unpack the kernel \"$1\""; fi
  [ ! -d "$new/x/usr/lib/modules" ] || { mkdir -p "$new/x/lib"; mv "$new/x/usr/lib/modules" "$new/x/lib/"; }
  version=$(ls "$new/x/lib/modules") && [ -d "$new/x/lib/modules/$version" ] || die "cannot find one version in lib/modules of \"$1\""
  mkdir -p "$new/lib/modules" && mv "$new/x/lib/modules/$version" "$new/lib/modules/"
  find "$new/lib" -name '*.ko.xz' -exec xz -d {} + -o -name '*.ko.zst' -exec zstd -q --rm -d {} +
  depmod -b "$new" "$version"
  mv "$new"/x/boot/vmlinuz* "$new/vmlinuz" 2>/dev/null && extract_vmlinux "$new/vmlinuz" "$new/vmlinux" ||
    mv "$new"/x/boot/vmlinux* "$new/vmlinux" 2>/dev/null
  mv "$new"/x/boot/config-* "$new/config" 2>/dev/null
  rm -rf "$new/x" "$new"/*.deb
  echo "$version" >"$new/version"
  rm -rf "$KERNEL_DIR"; mv "$new" "$KERNEL_DIR"
}

# Prints the file's name; a package is downloaded into DIRECTORY first.
kernel_package() { # PACKAGE|FILE.deb DIRECTORY
  local package=$1
  [ ! -f "$1" ] || { echo "$1"; return; }
  case $package in linux-image-*[0-9].[0-9]*) ;; linux-image-*) # a meta package: what it depends on
    package=$(apt-cache depends "$1" | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }') ;;
  esac
  [ -n "$package" ] || die "cannot find the package \"$1\": apt-get update"
  (cd "$2" && apt-get download "$package") >"$2/apt.deb" 2>&1 || { cat "$2/apt.deb" >&2; die "cannot download \"$package\""; }
  rm -f "$2/apt.deb"; ls "$2"/*.deb
}

# QEMU boots an uncompressed ELF kernel 0.4 s faster than a bzImage; Documentation/arch/x86/boot.rst.
extract_vmlinux() { # BZIMAGE OUT
  local setup_sects payload_offset payload_length decompress
  setup_sects=$(od -An -tu1 -j 497 -N1 "$1" | tr -d ' ')
  payload_offset=$(od -An -tu4 -j 584 -N4 "$1" | tr -d ' '); payload_length=$(od -An -tu4 -j 588 -N4 "$1" | tr -d ' ')
  tail -c +$(((setup_sects + 1) * 512 + payload_offset + 1)) "$1" | head -c "$payload_length" >"$2.payload"
  case $(od -An -tx1 -N4 "$2.payload" | tr -d ' ') in
    02214c18) decompress='lz4 -dc' ;; fd377a58) decompress='xz -dc' ;;
    28b52ffd) decompress='zstd -dc' ;; 1f8b*) decompress='gzip -dc' ;; *) decompress=false ;;
  esac
  $decompress <"$2.payload" >"$2" 2>/dev/null # its status means nothing: four bytes of length follow the stream
  rm -f "$2.payload"
  [ "$(od -An -tx1 -N4 "$2" | tr -d ' ')" = 7f454c46 ] || { rm -f "$2"; return 0; }
}

# One cpio archive: busybox, the modules needed to reach the root, and the first init script.
make_initramfs() { # OUT
  local tree module wanted=(virtio_mmio virtio_console virtiofs overlay)
  tree=$(mktemp -d "$VM_HOME/kernels/.new.XXXXXX")
  mkdir -p "$tree"/{bin,proc,sys,dev,host,new,up} "$tree/lib/modules/$KERNEL_VERSION"
  cp "$(command -v busybox)" "$tree/bin/busybox"; ln -s busybox "$tree/bin/sh"
  mknod -m 600 "$tree/dev/console" c 5 1; mknod -m 666 "$tree/dev/null" c 1 3
  for module in "${wanted[@]}"; do
    modprobe -d "$KERNEL_DIR" -S "$KERNEL_VERSION" --show-depends "$module" 2>/dev/null
  done | while read -r verb file _; do
    [ "$verb" != insmod ] || cp -n "$file" "$tree/lib/modules/$KERNEL_VERSION/"
  done
  depmod -b "$tree" "$KERNEL_VERSION" 2>/dev/null
  for module in "${wanted[@]}"; do # those that are not built in
    ! modprobe -d "$tree" -S "$KERNEL_VERSION" --show-depends "$module" >/dev/null 2>&1 || printf '%s ' "$module"
  done >"$tree/modules.list"
  echo >>"$tree/modules.list"
  cp "$HERE/init" "$tree/init"; chmod 755 "$tree/init"
  (cd "$tree" && find . | cpio -o -H newc --quiet) >"$1.new" && mv "$1.new" "$1" || die "cannot write \"$1\""
  rm -rf "$tree"
}
