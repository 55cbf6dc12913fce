// For the tests alone: what wine 8 lacks of what Go programs ask Windows for.
//
// ProcessPrng: wine has no bcryptprimitives.dll. It has SystemFunction036
// (RtlGenRandom), which does the same.
//
// WSAIoctl(SIO_UDP_NETRESET): wine refuses it, and without it Go opens no UDP
// socket. Go gets every function by GetProcAddress, so the program's import of
// that one is led past a function that answers this request itself.
#include <winsock2.h>
#include <windows.h>
#include <string.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return SystemFunction036(buffer, (ULONG)length);
}

#define UDP_NETRESET 0x9800000F

typedef int(WINAPI *ioctl_t)(SOCKET, DWORD, void *, DWORD, void *, DWORD, DWORD *, void *, void *);
static ioctl_t real_ioctl;

static int WINAPI our_ioctl(SOCKET s, DWORD code, void *in, DWORD n_in, void *out, DWORD n_out, DWORD *n, void *overlapped, void *done)
{
    if (code != UDP_NETRESET)
        return real_ioctl(s, code, in, n_in, out, n_out, n, overlapped, done);
    if (n)
        *n = 0;
    return 0;
}

static FARPROC WINAPI our_address(HMODULE module, LPCSTR name)
{
    FARPROC found = GetProcAddress(module, name);
    if ((ULONG_PTR)name >> 16 && !strcmp(name, "WSAIoctl")) {
        real_ioctl = (ioctl_t)found;
        return (FARPROC)our_ioctl;
    }
    return found;
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved)
{
    BYTE *base = (BYTE *)GetModuleHandleA(NULL);
    IMAGE_NT_HEADERS64 *header = (void *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    IMAGE_IMPORT_DESCRIPTOR *d = (void *)(base + header->OptionalHeader.DataDirectory[1].VirtualAddress);
    void *real = (void *)GetProcAddress(GetModuleHandleA("kernel32.dll"), "GetProcAddress");

    if (reason != DLL_PROCESS_ATTACH)
        return TRUE;
    for (; d->FirstThunk; d++)
        for (void **slot = (void **)(base + d->FirstThunk); *slot; slot++)
            if (*slot == real) {
                DWORD was;
                VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &was);
                *slot = (void *)our_address;
                VirtualProtect(slot, sizeof *slot, was, &was);
            }
    return TRUE;
}
