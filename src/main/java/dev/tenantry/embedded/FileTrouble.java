package dev.tenantry.embedded;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import org.jspecify.annotations.Nullable;

/** Why something could not be done with a file, in words: the platform's exceptions say it by their class. */
final class FileTrouble {

    private FileTrouble() {}

    /** The file and the reason. */
    static String words(IOException failed) {
        return failed instanceof FileSystemException trouble
                ? trouble.getFile() + ": " + reason(trouble)
                : String.valueOf(failed.getMessage());
    }

    private static String reason(FileSystemException trouble) {
        @Nullable String said = trouble.getReason();
        return switch (trouble) {
            case AccessDeniedException denied -> "Permission denied";
            case NoSuchFileException missing -> "No such file or directory";
            case FileAlreadyExistsException there -> "File exists";
            case NotDirectoryException file -> "Not a directory";
            case DirectoryNotEmptyException full -> "Directory not empty";
            default -> said == null ? "can't be used" : said;
        };
    }
}
