/* keys add NAME VALUE COMMAND...: runs a command in a new session keyring that holds a key, as a login has.
 * keys read NAME: looks for the key in every keyring that this process possesses (keyrings(7)), and asks for more. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/keyctl.h>

int main(int argc, char **argv)
{
	const int keyrings[] = {KEY_SPEC_THREAD_KEYRING, KEY_SPEC_PROCESS_KEYRING, KEY_SPEC_SESSION_KEYRING,
				KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING};
	char content[256];

	if (argc > 4 && !strcmp(argv[1], "add")) {
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
		    syscall(SYS_add_key, "user", argv[2], argv[3], strlen(argv[3]), KEY_SPEC_SESSION_KEYRING) < 0) {
			perror("add_key");
			return 3;
		}
		execvp(argv[4], argv + 4);
		perror(argv[4]);
		return 3;
	}
	if (argc != 3)
		return 2;
	for (unsigned i = 0; i < sizeof keyrings / sizeof *keyrings; i++) {
		long key = syscall(SYS_keyctl, KEYCTL_SEARCH, keyrings[i], "user", argv[2], 0);
		long length = key < 0 ? -1 : syscall(SYS_keyctl, KEYCTL_READ, key, content, sizeof content - 1);

		if (length < 0) {
			printf("keyring %d: %s\n", keyrings[i], strerror(errno));
			continue;
		}
		content[length] = 0;
		printf("READ %s\n", content);
	}
	return 0;
}
