/* handle MOUNT TYPE HEX: opens a file by its handle (open_by_handle_at(2)), reads it and appends to it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} wanted;
	char content[256];
	int mount, file;
	ssize_t length;

	if (argc != 4)
		return 2;
	memset(&wanted, 0, sizeof wanted);
	wanted.handle.handle_type = atoi(argv[2]);
	wanted.handle.handle_bytes = strlen(argv[3]) / 2;
	for (unsigned i = 0; i < wanted.handle.handle_bytes; i++)
		sscanf(argv[3] + 2 * i, "%2hhx", &wanted.handle.f_handle[i]);
	if ((mount = open(argv[1], O_RDONLY)) < 0) {
		printf("open %s: %s\n", argv[1], strerror(errno));
		return 3;
	}
	file = open_by_handle_at(mount, &wanted.handle, O_RDWR | O_APPEND);
	if (file < 0 && errno == EROFS) /* the mount is read-only; the file may be read */
		file = open_by_handle_at(mount, &wanted.handle, O_RDONLY);
	if (file < 0) {
		printf("open_by_handle_at: %s\n", strerror(errno));
		return 1;
	}
	length = read(file, content, sizeof content - 1);
	content[length > 0 ? length : 0] = 0;
	printf("READ %s\n", content);
	if (write(file, "changed\n", 8) == 8)
		printf("WROTE\n");
	return 0;
}
