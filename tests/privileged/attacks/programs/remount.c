/* remount DIRECTORY NAME: tries every way to make a read-only mount writable, and after each to make a file there. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#define ATTRIBUTE_RDONLY 1ULL

struct attributes {
	unsigned long long set, clear, propagation, userns;
};

static const char *name;

static void try_writing(int directory, const char *way)
{
	int file = openat(directory, name, O_CREAT | O_WRONLY, 0644);

	if (file >= 0) {
		printf("WROTE after %s\n", way);
		close(file);
	} else {
		printf("%s: %s\n", way, strerror(errno));
	}
}

static void try_all(const char *path)
{
	struct attributes writable = {0, ATTRIBUTE_RDONLY, 0, 0};
	int directory = open(path, O_RDONLY | O_DIRECTORY), clone;

	try_writing(directory, "nothing");
	mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL);
	try_writing(directory, "remount,bind");
	mount(NULL, path, NULL, MS_REMOUNT, NULL);
	try_writing(directory, "remount");
	syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &writable, sizeof writable);
	try_writing(directory, "mount_setattr");
	clone = syscall(SYS_open_tree, AT_FDCWD, path, 1 | O_CLOEXEC);
	if (clone >= 0) {
		syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH, &writable, sizeof writable);
		try_writing(clone, "open_tree and mount_setattr");
	}
	if (mkdir("/tmp/again", 0755) == 0 || errno == EEXIST) {
		mount(path, "/tmp/again", NULL, MS_BIND | MS_REC, NULL);
		mount(NULL, "/tmp/again", NULL, MS_REMOUNT | MS_BIND, NULL);
		try_writing(open("/tmp/again", O_RDONLY | O_DIRECTORY), "a bind mount of it");
		umount2("/tmp/again", MNT_DETACH);
	}
	close(directory);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	name = argv[2];
	try_all(argv[1]);
	fflush(stdout);
	if (fork() == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
			try_all(argv[1]);
		else
			printf("unshare: %s\n", strerror(errno));
		return 0;
	}
	wait(NULL);
	return 0;
}
