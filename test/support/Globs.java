import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Answers each pattern of standard input with what Hadoop's own FileSystem.globStatus finds: paths between tabs, or `!` and its complaint. */
public class Globs {
  public static void main(String[] args) throws Exception {
    try (FileSystem fs = FileSystem.get(URI.create(args[0]), new Configuration());
        Scanner patterns = new Scanner(System.in, StandardCharsets.UTF_8)) {
      while (patterns.hasNextLine()) System.out.println(answer(fs, patterns.nextLine()));
    }
  }

  private static String answer(FileSystem fs, String pattern) {
    try {
      StringBuilder paths = new StringBuilder();
      FileStatus[] found = fs.globStatus(new Path(pattern));
      for (FileStatus status : found == null ? new FileStatus[0] : found) {
        paths.append(paths.length() == 0 ? "" : "\t").append(status.getPath().toUri().getPath());
      }
      return paths.toString();
    } catch (Exception complaint) {
      return "!" + String.valueOf(complaint.getMessage()).split("\n")[0];
    }
  }
}
