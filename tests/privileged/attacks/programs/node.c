/* node KIND MAJOR MINOR [PATH]: makes a device node where PATH is not one yet, reads the device and writes to it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *path = argc > 4 ? argv[4] : "/tmp/.node";
	char content[17] = "";
	int file;

	if (argc < 4)
		return 2;
	if (mknod(path, (argv[1][0] == 'b' ? S_IFBLK : S_IFCHR) | 0666, makedev(atoi(argv[2]), atoi(argv[3]))) < 0)
		printf("mknod: %s\n", strerror(errno));
	if ((file = open(path, O_RDONLY)) >= 0 && read(file, content, sizeof content - 1) > 0)
		printf("READ %s\n", content);
	else
		printf("read: %s\n", strerror(errno));
	if ((file = open(path, O_WRONLY | O_SYNC)) >= 0 && pwrite(file, "changed", 7, 0) == 7)
		printf("WROTE\n");
	else
		printf("write: %s\n", strerror(errno));
	return 0;
}
