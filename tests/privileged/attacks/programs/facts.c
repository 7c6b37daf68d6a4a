/* facts: says what a process can say about itself, one `KIND NAME VALUE` a line. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/keyctl.h>
#include <unistd.h>

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

extern char **environ;

static void say_file(const char *kind)
{
	char path[64], line[16384];
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/%s", kind);
	if (!(file = fopen(path, "r")))
		return;
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		printf("%s %s\n", kind, line);
	}
	fclose(file);
}

static void say_links(const char *kind)
{
	char path[64], link[4096];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof path, "/proc/self/%s", kind);
	if (!(directory = opendir(path)))
		return;
	while ((entry = readdir(directory))) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);

		if (length < 0 || (!strcmp(kind, "fd") && atoi(entry->d_name) == dirfd(directory)))
			continue;
		link[length] = 0;
		printf("%s %s %s\n", kind, entry->d_name, link);
	}
	closedir(directory);
}

int main(void)
{
	const char *files[] = {"status", "limits", "cgroup", "oom_score_adj", "mountinfo", "coredump_filter",
			       "timens_offsets", "setgroups", "uid_map", "gid_map", "attr/current", "loginuid"};
	const struct { const char *name; int option; } settings[] = {
		{"dumpable", PR_GET_DUMPABLE}, {"keepcaps", PR_GET_KEEPCAPS}, {"securebits", PR_GET_SECUREBITS},
		{"no_new_privs", PR_GET_NO_NEW_PRIVS}, {"timerslack", PR_GET_TIMERSLACK}, {"seccomp", PR_GET_SECCOMP},
		{"thp_disable", PR_GET_THP_DISABLE}, {"mdwe", PR_GET_MDWE}, {"io_flusher", PR_GET_IO_FLUSHER},
		{"mce_kill", PR_MCE_KILL_GET}, {"timing", PR_GET_TIMING},
	};
	const int keyrings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING};
	struct sched_param parameters = {0};
	char description[256], link[4096];
	int value = 0;

	for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
		say_file(files[i]);
	say_links("fd");
	say_links("ns");
	for (char **variable = environ; *variable; variable++)
		printf("environ %s\n", *variable);
	for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++)
		printf("prctl %s %d\n", settings[i].name, prctl(settings[i].option, 0, 0, 0, 0));
	prctl(PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0);
	printf("prctl subreaper %d\n", value);
	printf("scheduling personality %x\n", personality(0xffffffff));
	printf("scheduling nice %d\n", getpriority(PRIO_PROCESS, 0));
	sched_getparam(0, &parameters);
	printf("scheduling policy %d %d\n", sched_getscheduler(0), parameters.sched_priority);
	printf("scheduling ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
	printf("scheduling umask %o\n", umask(0));
	for (int capability = 0; capability < 64; capability++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1)
			printf("ambient %d\n", capability);
	for (int i = 0; i < 2; i++) {
		long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, keyrings[i], description, sizeof description);

		printf("keyring %d %s\n", keyrings[i], length < 0 ? strerror(errno) : description);
	}
	if (readlink("/proc/self/cwd", link, sizeof link - 1) > 0) {
		memset(link, 0, sizeof link);
		readlink("/proc/self/cwd", link, sizeof link - 1);
		printf("place cwd %s\n", link);
	}
	memset(link, 0, sizeof link);
	readlink("/proc/self/root", link, sizeof link - 1);
	printf("place root %s\n", link);
	return 0;
}
