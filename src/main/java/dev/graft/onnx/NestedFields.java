package dev.graft.onnx;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;

/**
 * Passes over what no tensor can be below: names, types, shapes, metadata. Every field in it is
 * counted, because two bytes are enough for a message, or for a field that the schema does not know
 * and protobuf keeps.
 */
final class NestedFields {

  private final WireCursor cursor;
  private final ScanBudget budget;

  NestedFields(WireCursor cursor, ScanBudget budget) {
    this.cursor = cursor;
    this.budget = budget;
  }

  /**
   * Moves behind the value of a field.
   *
   * @param type the message that has the field
   * @param tag its tag, at the end of which the cursor stands
   * @param limit the end of the message
   */
  void pass(Descriptor type, int tag, long limit) {
    pass(type, tag, limit, 0);
  }

  private void pass(Descriptor type, int tag, long limit, int depth) {
    FieldDescriptor field = type.findFieldByNumber(tag >>> 3);
    if (field == null) {
      budget.spendUnknown();
    }
    boolean isEntered =
        field != null
            && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
            && (tag & 7) == WireCursor.BYTES;
    if (!isEntered) {
      cursor.skip(tag & 7, limit);
      return;
    }
    if (depth == ModelScanner.MAX_DEPTH) {
      throw cursor.broken("messages are nested deeper than " + ModelScanner.MAX_DEPTH + " levels");
    }
    long end = cursor.lengthEnd(limit);
    while (cursor.position() < end) {
      int below = cursor.tag(end);
      budget.spendField();
      pass(field.getMessageType(), below, end, depth + 1);
    }
  }
}
