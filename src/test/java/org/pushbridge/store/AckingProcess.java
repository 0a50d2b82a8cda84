package org.pushbridge.store;

import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.device;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * A process that uses the store on the URL it is given. It prints {@code open}; then, if it is told {@code write}, it
 * saves one device after the other, named by the third argument and a number, as many at a time as a busy bridge does,
 * and prints {@code ack} and the number, six digits, as each is acknowledged. It runs until it is killed.
 */
final class AckingProcess {
    private AckingProcess() {}

    public static void main(String[] arguments) throws InterruptedException, IOException {
        Store store = Store.open(StoreSettings.of(arguments[0], "pushbridge", ""));
        System.out.println("open");
        if (arguments[1].equals("write")) {
            Semaphore underWay = new Semaphore(20);
            for (int i = 0; ; i++) {
                int number = i;
                underWay.acquire();
                store.saveDevice(device(ALICE, arguments[2] + number)).thenRun(() -> {
                    System.out.println(String.format(Locale.ROOT, "ack %06d", number));
                    underWay.release();
                });
            }
        }
        System.in.read();
    }

    /** The number in a line the process printed; empty for any other line, such as one cut by its death. */
    static Optional<Integer> acknowledged(String line) {
        return line.matches("ack [0-9]{6}") ? Optional.of(Integer.valueOf(line.substring(4))) : Optional.empty();
    }
}
