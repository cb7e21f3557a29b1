using BackupEngine.Cli.Output;
using Spectre.Console;

namespace BackupEngine.Cli.Demo;

/// <summary>What the steps of the tour took, for people.</summary>
internal static class DemoTable
{
    /// <summary>One step in a line, as it ends.</summary>
    public static string Line(DemoStep step)
    {
        List<string> parts = [$"{step.Name}, {ByteText.Duration(step.Seconds)}"];
        if (step.BytesRead is { } read)
            parts.Add($"read {ByteText.Of(read)}");
        if (step.BytesChanged is { } changed)
            parts.Add($"changed {ByteText.Of(changed)}");
        if (step.BytesStored is { } stored)
            parts.Add($"stored {ByteText.Of(stored)}");
        return string.Join(", ", parts);
    }

    /// <summary>The closing table.</summary>
    /// <param name="steps">All steps, in order.</param>
    /// <param name="sizeBytes">Size of the volume that each of them dealt with.</param>
    public static void Print(IReadOnlyList<DemoStep> steps, long sizeBytes)
    {
        Table table = new() { Border = Terminal.IsInteractive ? TableBorder.Rounded : TableBorder.None };
        foreach (string heading in (string[])["STEP", "TIME", "READ", "CHANGED", "STORED", "SPEED"])
            table.AddColumn(new TableColumn(new Text(heading)) { NoWrap = true, Alignment = heading == "STEP" ? Justify.Left : Justify.Right });
        foreach (DemoStep step in steps)
        {
            table.AddRow(
                new Text(step.Name),
                new Text(ByteText.Duration(step.Seconds)),
                Amount(step.BytesRead),
                Amount(step.BytesChanged),
                Amount(step.BytesStored),
                new Text(step.BytesRead is null ? "" : ByteText.Rate(sizeBytes, step.Seconds)));
        }

        Terminal.Output.Write(table);
    }

    private static Text Amount(long? bytes) => new(bytes is { } known ? ByteText.Of(known) : "");
}
