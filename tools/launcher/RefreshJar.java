import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites the classes of a jar that are older than Java 7 in the class-file format of Java 7, which
 * carries what the verifier needs. The Java machine keeps no older class in its start-up cache: it
 * would read and verify each of them anew on every start.
 *
 * <p>usage: java RefreshJar.java IN.jar OUT.jar
 */
final class RefreshJar {

  private static final int JAVA_7 = 51;

  private RefreshJar() {}

  public static void main(String[] args) throws IOException {
    Path out = Path.of(args[1]);
    Path unfinished = out.resolveSibling(out.getFileName() + ".part");
    try (JarFile jar = new JarFile(args[0]);
        OutputStream file = Files.newOutputStream(unfinished);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      ClassFile format = ClassFile.of(hierarchy(jar), ClassFile.StackMapsOption.STACK_MAPS_WHEN_REQUIRED);
      for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
        JarEntry entry = entries.nextElement();
        byte[] bytes;
        try (InputStream in = jar.getInputStream(entry)) {
          bytes = in.readAllBytes();
        }
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTime(entry.getTime());
        zip.putNextEntry(copy);
        zip.write(entry.getName().endsWith(".class") ? refreshed(format, bytes) : bytes);
        zip.closeEntry();
      }
    }
    Files.move(unfinished, out, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Frames are computed from the types of the jar's own classes and the JDK's. */
  private static ClassFile.ClassHierarchyResolverOption hierarchy(JarFile jar) {
    ClassHierarchyResolver own =
        ClassHierarchyResolver.ofResourceParsing(
            name -> {
              String path = name.packageName().replace('.', '/') + "/" + name.displayName() + ".class";
              try {
                JarEntry entry = jar.getJarEntry(path);
                return entry == null ? null : jar.getInputStream(entry);
              } catch (IOException e) {
                return null;
              }
            });
    return ClassFile.ClassHierarchyResolverOption.of(
        own.orElse(ClassHierarchyResolver.defaultResolver()));
  }

  private static byte[] refreshed(ClassFile format, byte[] bytes) {
    ClassModel model = format.parse(bytes);
    if (model.majorVersion() >= JAVA_7) {
      return bytes;
    }
    ClassTransform newVersion =
        (builder, element) -> {
          if (element instanceof java.lang.classfile.ClassFileVersion) {
            builder.withVersion(JAVA_7, 0);
          } else {
            builder.with(element);
          }
        };
    return format.transformClass(model, ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL).andThen(newVersion));
  }
}
