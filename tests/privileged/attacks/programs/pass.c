/* pass listen [NAME]: takes descriptors from a session's program, reads what comes by them and what they lead to.
 * Run by any other name (as `ls`): passes its own descriptors 0 to 2 to that listener.
 *
 * The listener says what each descriptor is, reads a regular file from its beginning through a second opening, and
 * then reads terminals for good: what is typed after the session would come here too. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address = {AF_UNIX, "/tmp/passed"};

static int exchange(int connection, int descriptor)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof control};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (descriptor >= 0) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
		return sendmsg(connection, &message, 0);
	}
	if (recvmsg(connection, &message, 0) <= 0 || !(header = CMSG_FIRSTHDR(&message)))
		return -1;
	memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
	return descriptor;
}

static void look_into(int number, int descriptor)
{
	char path[64], link[4096], content[256];
	struct stat found;
	ssize_t length;
	int again;

	snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
	length = readlink(path, link, sizeof link - 1);
	link[length > 0 ? length : 0] = 0;
	fstat(descriptor, &found);
	printf("PASSED %d %s tty=%d mode=%o device=%lu:%lu\n", number, link, isatty(descriptor), found.st_mode,
	       (unsigned long)found.st_dev, (unsigned long)found.st_rdev);
	if (!S_ISREG(found.st_mode))
		return;
	if ((again = open(path, O_RDONLY)) >= 0 && (length = read(again, content, sizeof content - 1)) > 0) {
		content[length] = 0;
		printf("READ %s\n", content);
	}
	if ((again = open(path, O_WRONLY | O_APPEND)) >= 0 && write(again, "changed\n", 8) == 8)
		printf("WROTE\n");
}

int main(int argc, char **argv)
{
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), connection, terminal = -1;
	char typed[256];
	ssize_t length;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || strcmp(argv[1], "listen")) {
		if (connect(listener, (struct sockaddr *)&address, sizeof address) < 0)
			return 1;
		for (int number = 0; number < 3; number++)
			exchange(connection = listener, number);
		read(listener, typed, 1); /* the listener has looked */
		return 0;
	}
	unlink(address.sun_path);
	bind(listener, (struct sockaddr *)&address, sizeof address);
	chmod(address.sun_path, 0777);
	listen(listener, 5);
	printf("LISTENING\n");
	for (;;) {
		struct pollfd waiting[] = {{listener, POLLIN, 0}, {terminal, POLLIN, 0}};

		poll(waiting, 2, -1);
		if (waiting[1].revents) {
			length = read(terminal, typed, sizeof typed - 1);
			if (length <= 0) {
				printf("HUNG UP\n");
				terminal = -1;
				continue;
			}
			typed[length] = 0;
			printf("TYPED %s\n", typed);
		}
		if (!waiting[0].revents)
			continue;
		connection = accept(listener, NULL, NULL);
		for (int number = 0; number < 3; number++) {
			int descriptor = exchange(connection, -1);

			if (descriptor < 0)
				break;
			look_into(number, descriptor);
			if (isatty(descriptor))
				terminal = descriptor;
			else
				close(descriptor);
		}
		close(connection);
	}
}
