using System.Text.Json;
using BackupEngine.Catalog;
using BackupEngine.Cli.Output;

namespace BackupEngine.Cli.Commands;

/// <summary>Reads an exported record, bare or wrapped as OpenStack's API carries it.</summary>
internal static class RecordFile
{
    private const string Wrapper = "backup-record";
    private const int MaxBytes = 16 << 20;

    /// <summary>Reads a file, or stdin for <c>-</c>.</summary>
    /// <exception cref="CommandException">There is no such file, or it holds no exported record.</exception>
    public static async Task<ExportedRecord> ReadAsync(string path, CancellationToken cancellationToken)
    {
        string name = path == "-" ? "stdin" : path;
        if (path != "-" && !File.Exists(path))
            throw new CommandException(ExitCodes.NotFound, $"there is no file {path}");

        try
        {
            await using Stream stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            return Parse(await ReadBoundedAsync(stream, cancellationToken));
        }
        catch (JsonException e)
        {
            throw new CommandException(ExitCodes.Failed, $"{name} is no exported record; give what 'backup-engine export' printed", e);
        }
    }

    private static ExportedRecord Parse(ReadOnlyMemory<byte> json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement record = document.RootElement;
        if (record.ValueKind == JsonValueKind.Object && record.TryGetProperty(Wrapper, out JsonElement wrapped))
            record = wrapped;
        return record.Deserialize(CliJson.Default.ExportedRecord) ?? throw new JsonException("It is null.");
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBoundedAsync(Stream stream, CancellationToken cancellationToken)
    {
        using MemoryStream content = new();
        byte[] buffer = new byte[64 << 10];
        // A read of a terminal or pipe cannot be called off, so it is left behind.
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken).AsTask().WaitAsync(cancellationToken)) > 0;)
        {
            content.Write(buffer, 0, read);
            if (content.Length > MaxBytes)
                throw new JsonException("It is larger than any record.");
        }

        ReadOnlyMemory<byte> bytes = content.GetBuffer().AsMemory(0, (int)content.Length);
        // Editors may have put a byte order mark before the text.
        return bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
    }
}
