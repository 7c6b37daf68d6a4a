/* watch OUT MARKER TERCES [MILLISECONDS]: writes down all that can be seen of every other process of a pid namespace.
 *
 * Process ids are handed out in order, so the next ones are sent SIGSTOP without pause: a new process stands still in
 * its first moment. It is looked at, goes on, is looked at as it runs, and is stopped again now and then. Each line of
 * OUT is `PID KIND VALUE`, once: exe, cwd, root, comm, cmdline, environ, fd, map, status, and where it got through:
 * reached (MARKER opened by way of its root, directory or descriptors), getfd (pidfd_getfd(2)), memory (the reverse of
 * TERCES, which is in nobody's arguments, found by process_vm_readv(2) or /proc/PID/mem), mapfile (a file of the
 * host's that may be opened for writing by /proc/PID/map_files) and traced (ptrace(2)). */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCESSES 64
#define LOOKAHEAD 24
#define MAX_LINES (1 << 16)
#define MAX_DESCRIPTORS 48
#define CHUNK (1 << 20)
#define MAX_SEARCHED (512UL << 20)

static FILE *out;
static const char *marker, *secret;
static unsigned long seen[MAX_LINES];
static char *chunk;

static void note(int pid, const char *kind, const char *value)
{
	char line[4600];
	unsigned long hash = 5381;

	snprintf(line, sizeof line, "%d %s %s", pid, kind, value);
	for (char *letter = line; *letter; letter++) {
		hash = hash * 33 + (unsigned char)*letter;
		if (!isprint((unsigned char)*letter))
			*letter = '?';
	}
	for (unsigned long at = hash % MAX_LINES;; at = (at + 1) % MAX_LINES) {
		if (seen[at] == hash)
			return;
		if (!seen[at]) {
			seen[at] = hash;
			fprintf(out, "%s\n", line);
			return;
		}
	}
}

static void note_link(int pid, const char *kind, const char *name)
{
	char path[64], link[4096], value[4200];
	ssize_t length;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	if ((length = readlink(path, link, sizeof link - 1)) < 0)
		return;
	link[length] = 0;
	if (!strcmp(kind, "fd"))
		snprintf(value, sizeof value, "%s -> %s", name + 3, link);
	else
		snprintf(value, sizeof value, "%s", link);
	note(pid, kind, value);
}

static void reach(int pid, const char *name)
{
	char path[8192];
	int length = snprintf(path, sizeof path, "/proc/%d/%s", pid, name);

	for (int parents = 0; parents < 8; parents++) {
		int file;

		snprintf(path + length, sizeof path - length, "%s", marker);
		if ((file = open(path, O_RDONLY)) >= 0) {
			note(pid, "reached", path);
			close(file);
			if ((file = open(path, O_WRONLY | O_APPEND)) >= 0) {
				write(file, "changed\n", 8);
				close(file);
			}
			return;
		}
		length += snprintf(path + length, sizeof path - length, "/..");
	}
}

static void note_file(int pid, const char *name, char separator)
{
	char path[64], content[65536], *part = content;
	ssize_t length;
	int file;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	if ((file = open(path, O_RDONLY)) < 0)
		return;
	length = read(file, content, sizeof content - 1);
	close(file);
	for (ssize_t i = 0; i < length; i++)
		if (content[i] == separator)
			content[i] = 0;
	content[length > 0 ? length : 0] = 0;
	while (part < content + length) {
		if (*part)
			note(pid, name, part);
		part += strlen(part) + 1;
	}
}

static void note_maps(int pid)
{
	char path[64], line[8192], *name;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	if (!(maps = fopen(path, "r")))
		return;
	while (fgets(line, sizeof line, maps))
		if ((name = strchr(line, '/'))) {
			name[strcspn(name, "\n")] = 0;
			note(pid, "map", name);
		}
	fclose(maps);
}

/* Files that a process maps are opened by /proc/PID/map_files with CAP_CHECKPOINT_RESTORE, for writing too. */
static void open_maps(int pid)
{
	char path[64], link[4096], value[4200], name[300];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof path, "/proc/%d/map_files", pid);
	if (!(directory = opendir(path)))
		return;
	while ((entry = readdir(directory))) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);

		if (length < 0)
			continue;
		link[length] = 0;
		snprintf(name, sizeof name, "%s", entry->d_name);
		if (access(link, F_OK) == 0 || !strncmp(link, "/memfd:", 7) || !strncmp(link, "/dev/", 5))
			continue; /* the container's own */
		/* Asked, not opened: while the host's dynamic linker is open for writing, nothing on the host can start. */
		if (faccessat(dirfd(directory), name, W_OK, AT_EACCESS) == 0) {
			snprintf(value, sizeof value, "writable %s", link);
			note(pid, "mapfile", value);
		}
	}
	closedir(directory);
}

static void search_memory(int pid)
{
	char path[64], line[8192];
	unsigned long begin, end, searched = 0;
	FILE *maps;
	int memory;

	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	memory = open(path, O_RDONLY);
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	if (!(maps = fopen(path, "r")))
		return;
	while (fgets(line, sizeof line, maps) && searched < MAX_SEARCHED) {
		if (sscanf(line, "%lx-%lx rw", &begin, &end) != 2 || !strstr(line, " rw"))
			continue;
		for (unsigned long at = begin; at < end; at += CHUNK - 256) {
			struct iovec mine = {chunk, end - at < CHUNK ? end - at : CHUNK}, theirs = {(void *)at, mine.iov_len};
			ssize_t length = process_vm_readv(pid, &mine, 1, &theirs, 1, 0);

			if (length <= 0 && memory >= 0)
				length = pread(memory, chunk, mine.iov_len, at);
			searched += mine.iov_len;
			if (length > 0 && memmem(chunk, length, secret, strlen(secret)))
				note(pid, "memory", "the secret");
			if (end - at <= CHUNK)
				break;
		}
	}
	fclose(maps);
	if (memory >= 0)
		close(memory);
}

static void take_descriptors(int pid)
{
	int process = syscall(SYS_pidfd_open, pid, 0);

	if (process < 0)
		return;
	for (int number = 0; number < MAX_DESCRIPTORS; number++) {
		int taken = syscall(SYS_pidfd_getfd, process, number, 0);
		char path[64], link[4096], value[4200];
		ssize_t length;

		if (taken < 0) {
			if (errno == EPERM)
				break;
			continue;
		}
		snprintf(path, sizeof path, "/proc/self/fd/%d", taken);
		length = readlink(path, link, sizeof link - 1);
		link[length > 0 ? length : 0] = 0;
		snprintf(value, sizeof value, "%d -> %s", number, link);
		note(pid, "getfd", value);
		snprintf(path, sizeof path, "self/fd/%d", taken);
		reach(getpid(), path + 5);
		close(taken);
	}
	close(process);
}

static void trace(int pid)
{
	int state;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return;
	note(pid, "traced", "yes");
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	/* It can be let go only where it stands; one that was never let go would hold its session up. */
	if (waitpid(pid, &state, __WALL) == pid && WIFSTOPPED(state))
		ptrace(PTRACE_DETACH, pid, 0, 0);
}

/* Looks at a process; the first time and whenever it is stopped more closely. */
static void look(int pid, int closely)
{
	char path[64], name[300];
	struct dirent *entry;
	DIR *directory;

	note_link(pid, "exe", "exe");
	note_link(pid, "cwd", "cwd");
	note_link(pid, "root", "root");
	reach(pid, "root");
	reach(pid, "cwd");
	note_file(pid, "environ", 0);
	note_file(pid, "comm", '\n');
	note_file(pid, "cmdline", 0);
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	if ((directory = opendir(path))) {
		while ((entry = readdir(directory))) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(name, sizeof name, "fd/%s", entry->d_name);
			note_link(pid, "fd", name);
			if (closely)
				reach(pid, name);
		}
		closedir(directory);
	}
	if (!closely)
		return;
	note_file(pid, "status", '\n');
	note_maps(pid);
	open_maps(pid);
	take_descriptors(pid);
	search_memory(pid);
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	int alive[MAX_PROCESSES], count = 0, last, own = getpid();
	long ends = 0;

	if (argc < 4)
		return 2;
	marker = argv[2];
	for (char *first = argv[3], *last = first + strlen(first) - 1; first < last; first++, last--) {
		char letter = *first;

		*first = *last;
		*last = letter;
	}
	secret = argv[3];
	if (argc > 4)
		ends = milliseconds() + atol(argv[4]);
	if (!(out = strcmp(argv[1], "-") ? fopen(argv[1], "w") : stdout))
		return 3;
	setvbuf(out, NULL, _IOLBF, 0); /* a run that is cut off has told what it saw */
	chunk = malloc(CHUNK);
	/* From within a session all its processes are there already, the keeper and the holder among them. */
	for (last = 1; last < own; last++)
		if (last != getppid() || ends)
			if (kill(last, 0) == 0 || errno == EPERM) {
				look(last, 1);
				trace(last);
				look(last, 1);
			}
	fprintf(out, "%d watching -\n", own);
	last = own;
	for (long round = 1; !ends || milliseconds() < ends; round++) {
		for (int pid = last + 1; pid <= last + LOOKAHEAD; pid++) {
			if (kill(pid, SIGSTOP) < 0 && (errno != EPERM))
				continue;
			note(pid, "born", "-");
			look(pid, 1);
			kill(pid, SIGCONT);
			last = pid;
			if (count < MAX_PROCESSES)
				alive[count++] = pid;
			break;
		}
		for (int i = 0; i < count; i++) {
			int stopped = (round + i) % 64 == 0;

			if (kill(alive[i], stopped ? SIGSTOP : 0) < 0 && errno == ESRCH) {
				alive[i--] = alive[--count];
				continue;
			}
			look(alive[i], stopped);
			if (stopped) {
				if (round % 512 == 0)
					trace(alive[i]);
				kill(alive[i], SIGCONT);
			}
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return 0;
}
