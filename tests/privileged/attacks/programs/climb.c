/* climb PATH: looks for PATH, without its leading slash, above the working directory; reads it and appends to it.
 *
 * A working directory outside of the process's root has parents that lead to the host's root (getcwd(2)). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_PARENTS 10

int main(int argc, char **argv)
{
	char cwd[4096], path[8192], content[256];
	const char *marker;

	if (argc != 2)
		return 2;
	marker = argv[1] + (argv[1][0] == '/');
	printf("cwd %s\n", getcwd(cwd, sizeof cwd) ? cwd : "?");
	for (int parents = 0; parents <= MAX_PARENTS; parents++) {
		ssize_t length;
		int file;

		path[0] = 0;
		for (int i = 0; i < parents; i++)
			strcat(path, "../");
		strncat(path, marker, 4096);
		if ((file = open(path, O_RDONLY)) >= 0) {
			length = read(file, content, sizeof content - 1);
			content[length > 0 ? length : 0] = 0;
			printf("READ %s: %s\n", path, content);
		}
		if ((file = open(path, O_WRONLY | O_APPEND)) >= 0 && write(file, "changed\n", 8) == 8) {
			printf("WROTE %s\n", path);
			return 0;
		}
	}
	return 0;
}
