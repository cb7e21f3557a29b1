using System.Security.Cryptography;
using System.Text;

namespace BackupEngine.Volumes;

/// <summary>Ids for volumes that have no better name than their path.</summary>
public static class VolumeIds
{
    /// <summary>As many symbolic links as Linux follows on one path.</summary>
    private const int MaxLinks = 40;

    /// <summary>The URL namespace of RFC 9562, section 6.6.</summary>
    private static readonly Guid _urlNamespace = new("6ba7b811-9dad-11d1-80b4-00c04fd430c8");

    /// <summary>
    /// A UUID that stays the same as long as the volume's canonical path does: the version 5 UUID (RFC 9562, section 5.5) of
    /// <c>file://</c> and that path in UTF-8, in the URL namespace. <c>uuidgen --sha1 --namespace @url --name file:///srv/disk.img</c> prints it too.
    /// </summary>
    /// <remarks>
    /// The canonical path is absolute and has its symbolic links resolved, except links below <c>/dev</c>: <c>/dev/vg/data</c>
    /// is the name that lasts, and what it points to (<c>/dev/dm-3</c>) may be another volume after the next boot.
    /// Two machines have the same id for the same path: name volumes yourself when they share a container.
    /// </remarks>
    /// <param name="path">A path; it need not exist.</param>
    /// <exception cref="VolumeException">The path's symbolic links lead nowhere but to each other.</exception>
    public static Guid FromPath(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string canonical = Canonicalize(path);
        if (Path.DirectorySeparatorChar == '\\')
            canonical = "/" + canonical.Replace('\\', '/');
        return NameBased(_urlNamespace, "file://" + canonical);
    }

    private static string Canonicalize(string path)
    {
        // Not GetFullPath where links may be meant: it takes "link/.." for nothing, although that is the parent of the link's target.
        string absolute = OperatingSystem.IsWindows() ? Path.GetFullPath(path) : Path.Combine(Directory.GetCurrentDirectory(), path);
        string resolved = Path.GetPathRoot(absolute)!;
        var pending = new Stack<string>();
        Push(pending, absolute[resolved.Length..]);
        int links = 0;
        while (pending.TryPop(out string? name))
        {
            if (name is "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? resolved;
                continue;
            }
            string step = Path.Join(resolved, name);
            string? target = IsBelowDev(resolved) ? null : new FileInfo(step).LinkTarget;
            if (target is null)
            {
                resolved = step;
                continue;
            }
            if (++links > MaxLinks)
                throw new VolumeException(path, $"'{path}' has more than {MaxLinks} symbolic links, or a circle of them");
            string root = Path.GetPathRoot(target)!;
            resolved = root.Length > 0 ? root : resolved;
            Push(pending, target[root.Length..]);
        }
        return resolved;
    }

    private static void Push(Stack<string> pending, string path)
    {
        foreach (string name in path.Split(Path.DirectorySeparatorChar).Reverse())
        {
            if (name is not ("" or "."))
                pending.Push(name);
        }
    }

    private static bool IsBelowDev(string directory) => directory == "/dev" || directory.StartsWith("/dev/", StringComparison.Ordinal);

    private static Guid NameBased(Guid namespaceId, string name)
    {
        byte[] input = [.. namespaceId.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name)];
#pragma warning disable CA5350 // Version 5 is defined with SHA-1; it spreads names here and protects nothing.
        Span<byte> id = SHA1.HashData(input).AsSpan(0, 16);
#pragma warning restore CA5350
        id[6] = (byte)(id[6] & 0x0F | 0x50);
        id[8] = (byte)(id[8] & 0x3F | 0x80);
        return new Guid(id, bigEndian: true);
    }
}
